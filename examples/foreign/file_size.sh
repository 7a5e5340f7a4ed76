#!/bin/sh
# A detector without Python: the larger an image's PNG file is, the more it looks generated.
# Reads paths, one a line, from stdin; writes a CSV with the columns path and score.
echo path,score
while read -r file; do
    size=$(wc -c < "$file")
    echo "$file,$((size - 450))"
done
