"""One row of `make bench` a file: what is compared, both sides' settings, `TARGET`, and `measure(bench)`. ../frame.py says how."""
