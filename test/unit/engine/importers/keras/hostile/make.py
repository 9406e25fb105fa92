# Made the HDF5 files beside it, with h5py 3.7: what h5wasm itself cannot write. None of the files that they name exists.
# endless.h5 is a small model with bytes changed at random, which the library reads for ever.
import h5py, numpy as np


def begin(name):
    file = h5py.File(name, "w", track_order=False)
    return file, file.create_group("model_weights").create_group("dense").create_group("dense")


file, group = begin("externalStorage.h5")
group.create_dataset("kernel:0", (4, 3), "f4", external=[(b"secret.bin", 0, 48)])
file.close()

file, group = begin("virtual.h5")
layout = h5py.VirtualLayout((12,), "f4")
layout[:] = h5py.VirtualSource("foreign.h5", "secret", (12,))
group.create_virtual_dataset("kernel:0", layout)
file.close()

file, group = begin("huge.h5")
group.create_dataset("kernel:0", (2**40,), "f4", chunks=(1024,))
file.close()

file, group = begin("half.h5")
group["kernel:0"] = np.ones((4, 3), "f2")
file.close()

file, group = begin("bigEndian.h5")
group["kernel:0"] = np.ones((4, 3), ">f4")
file.close()
