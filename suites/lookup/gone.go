package lookup

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// kthreadd is the kernel thread whose root is looked at.
const kthreadd = 2

// gone returns the specs of directories and mounts that a descriptor still holds and that are
// no longer to be found by name, or never were.
func gone() []spec.Spec {
	return []spec.Spec{
		{ID: "enoent/new-root-unlinked-through-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			fd := removed(w, "/new/gone")
			w.InProc(func() { w.Observe(w.PivotRoot(sandbox.DescriptorPath(fd), "/new/old")) })
			kept := w.Open("/new")
			w.InProc(func() { w.Control(w.PivotRoot(sandbox.DescriptorPath(kept), "/new/old")) })
		}},
		{ID: "enoent/put-old-unlinked-through-descriptor", Body: func(w *sandbox.World) {
			w.Jail()
			fd := removed(w, "/new/gone")
			w.InProc(func() { w.Observe(w.PivotRoot("/new", sandbox.DescriptorPath(fd))) })
			kept := w.Open("/new/old")
			w.InProc(func() { w.Control(w.PivotRoot("/new", sandbox.DescriptorPath(kept))) })
		}},
		// A mount point that is found by name, although what is mounted there is removed.
		{ID: "enoent/new-root-bind-of-removed-directory", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/gone")
			w.Mkdir("/mnt")
			w.Bind("/gone", "/mnt")
			w.Rmdir("/gone")
			w.Observe(w.PivotRoot("/mnt", "/new/old"))
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "enoent/put-old-lazily-unmounted", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/new/old")
			fd := w.Open("/new/old")
			w.Detach("/new/old")
			w.At(fd, "the unmounted put_old", func() { w.Observe(w.PivotRoot("/new", ".")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-lazily-unmounted", Body: func(w *sandbox.World) {
			w.Jail()
			fd := w.Open("/new")
			w.Detach("/new")
			// On a mount that is still there.
			w.Tmpfs("/new")
			w.Mkdir("/new/old")
			w.At(fd, "the unmounted new_root", func() { w.Observe(w.PivotRoot(".", "/new/old")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "enoent/put-old-root-of-kernel-thread", Body: func(w *sandbox.World) {
			w.Jail()
			w.At(kernelThread(w), "/proc/(kthreadd)", func() { w.Observe(w.PivotRoot("/new", "root")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
		{ID: "einval/new-root-root-of-kernel-thread", Body: func(w *sandbox.World) {
			w.Jail()
			w.At(kernelThread(w), "/proc/(kthreadd)", func() { w.Observe(w.PivotRoot("root", "/new/old")) })
			w.Control(w.PivotRoot("/new", "/new/old"))
		}},
	}
}

// removed returns a descriptor of a directory that is removed.
func removed(w *sandbox.World, path string) int {
	w.Mkdir(path)
	fd := w.Open(path)
	w.Rmdir(path)
	return fd
}

func kernelThread(w *sandbox.World) int {
	w.OwnMachine("the kernel's own threads")
	if !w.IsKernelThread(kthreadd) {
		w.Unsupported("kernel threads in /proc: process %d is none", kthreadd)
	}
	return w.OpenTask(kthreadd, "", "kthreadd")
}
