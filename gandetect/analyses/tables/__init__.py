"""Tables of scores that somebody else has made: read, put into our form, and reported on."""
