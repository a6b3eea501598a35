"""What `make bench` runs: every benchmark, one after the other."""

from benchmarks import cells, recurrence

if __name__ == "__main__":
    recurrence.main()
    cells.main()
