package rootfs

import (
	"maps"
	"slices"
	"strings"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// kthreadd is the ID of the kernel thread that makes the others.
const kthreadd = 2

// EarlySpecs returns specs of the initial namespace that leave it as it is; they run before
// those of [Specs], the last of which gives the initramfs up.
func EarlySpecs() []spec.Spec {
	return []spec.Spec{
		{ID: "rootfs/mount-ids", Stage: spec.Initial, Body: func(w *sandbox.World) {
			requireInitramfs(w)
			w.Observe(w.TryLook("/"))
			root := w.MountAt(w.Self(), "/")
			w.Fact("root-id", root.ID)
			w.Fact("root-parent", root.Parent)
		}},
	}
}

// kernelThreadsSpec observes the threads of the kernel, which up to 7.2 share root and cwd with PID 1.
func kernelThreadsSpec() spec.Spec {
	return spec.Spec{ID: "migrate/kernel-threads", Stage: spec.Initial, Body: func(w *sandbox.World) {
		if !w.IsKernelThread(kthreadd) {
			w.Unsupported("kernel threads in /proc: process %d is none", kthreadd)
		}
		inJail(w, func() {
			w.Fact("before", KernelRoot(w))
			// The caller has an fs of its own, so whom it moves it does not share it with.
			p := w.Fork("caller", 0, func(s *sandbox.Script) {
				s.Pause()
				s.PivotRoot("/new", "/new/old")
			})
			w.ObserveSuccess(p.Call("/new"))
			KernelThreads(w)
		})
	}}
}

// KernelThreads adds the facts where the roots and cwds of the kernel's threads are, those that
// were made meanwhile included.
func KernelThreads(w *sandbox.World) {
	roots, cwds := map[string]bool{}, map[string]bool{}
	for _, t := range kernelThreads(w) {
		root, ok := w.WhereIfAlive(t, sandbox.Root)
		cwd, ok2 := w.WhereIfAlive(t, sandbox.Cwd)
		// What has ended meanwhile, and what the kernel started as its child that
		// is a program and no thread of its own, does not count.
		if !ok || !ok2 || root != "new_root" && !w.IsKernelThread(t) {
			continue
		}
		roots[root], cwds[cwd] = true, true
	}
	w.Fact("kthread-root", strings.Join(slices.Sorted(maps.Keys(roots)), ", "))
	w.Fact("kthread-cwd", strings.Join(slices.Sorted(maps.Keys(cwds)), ", "))
}

// KernelRoot says where the kernel's threads have their root, a place that gets a label if it has
// none.
func KernelRoot(w *sandbox.World) string {
	if at := w.Where(kthreadd, sandbox.Root); at != "elsewhere" {
		return at
	}
	w.MarkTask("kernel's own root", kthreadd, sandbox.Root)
	return w.Where(kthreadd, sandbox.Root)
}

// kernelThreads returns the IDs of the kernel's threads, kthreadd among them.
func kernelThreads(w *sandbox.World) []int {
	threads := append(w.Children(kthreadd), kthreadd)
	const few = 8 // there are dozens, under any kernel and on one processor
	if len(threads) < few {
		w.Broken("set-up: the kernel has only %d threads", len(threads))
	}
	return threads
}
