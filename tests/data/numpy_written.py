"""Writes numpy_written.npz: the same 2 x 3 array in several types and orders, deflated. Run: python3 numpy_written.py"""
import numpy as np

values = np.arange(6.0).reshape(2, 3)
np.savez_compressed(
    "numpy_written.npz",
    c_float64=values,
    fortran_float64=np.asfortranarray(values),
    float32=values.astype(np.float32),
    int64=values.astype(np.int64),
    int32=values.astype(np.int32),
    uint8=values.astype(np.uint8),
)
