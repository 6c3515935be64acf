"""`python -m recnb`, so that `torchrun -m recnb train` starts the command in several processes."""
from recnb.cli import main

if __name__ == '__main__': main()
