"""Theory."""
from fanin.theory.moments import *
from fanin.theory.moments import mean, second_moment, variance_map, chi, gain, relative_fluctuation
