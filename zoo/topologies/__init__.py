"""The five ways in which sequences go in and come out, one file each."""
