"""Run PyTorch's own test/nn/test_init.py against fanin.interop.torch.init.

    PYTORCH_TEST_WITH_SLOW=1 python scripts/pytorch_init_tests.py path/to/pytorch/test/nn/test_init.py

The file comes from PyTorch's repository, and needs expecttest and scipy.
"""

import runpy
import sys

import torch

from fanin.interop.torch import init

sys.modules["torch.nn.init"] = torch.nn.init = init
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
