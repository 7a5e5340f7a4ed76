"""The chapters of the report, each a function from the material to blocks."""
