package recipes

import (
	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// shared are pivots on machines whose mounts are shared, as systemd makes them.
func shared() []spec.Spec {
	return []spec.Spec{
		// runc 1148: the mount with the container's root was to be made private before the bind,
		// which else reaches the machine's namespace.
		{ID: "recipes/runc-rootfs-on-a-shared-mount", Body: func(w *sandbox.World) {
			mountWithDir(w)
			w.Propagation("/tmp", sandbox.Shared)
			host := w.Peer()
			w.Rbind("/tmp/ctr", "/tmp/ctr")
			leaked(w, host.PID, "/tmp/ctr")
			w.Observe(pivotAt(w, "/tmp/ctr"))
			w.Chdir("/")
			w.Detach("/tmp/ctr")
			w.Propagation("/tmp", sandbox.Private)
			w.Rbind("/tmp/ctr", "/tmp/ctr")
			w.Control(pivotAt(w, "/tmp/ctr"))
		}},
		// crun 39: it is enough to make that mount private at any time before the pivot.
		{ID: "recipes/crun-parent-of-rootfs-shared", Body: func(w *sandbox.World) {
			mountWithDir(w)
			w.Propagation("/tmp", sandbox.Shared)
			w.Rbind("/tmp/ctr", "/tmp/ctr")
			w.PropagationBelow("/tmp/ctr", sandbox.Private)
			w.Observe(pivotAt(w, "/tmp/ctr"))
			w.Propagation("/tmp", sandbox.Private)
			w.Control(pivotAt(w, "/tmp/ctr"))
		}},
		// crun 1514: the container's root is itself a shared mount, so that the bind of it onto
		// itself has it as parent; only the mounts above were made private.
		{ID: "recipes/crun-rootfs-itself-a-shared-mount", Body: func(w *sandbox.World) {
			w.JailWithout()
			w.Mkdir("/ctr")
			w.Tmpfs("/ctr")
			below := w.Open("/ctr")
			w.Propagation("/ctr", sandbox.Shared)
			w.Rbind("/ctr", "/ctr")
			w.PropagationBelow("/ctr", sandbox.Private)
			w.Observe(pivotAt(w, "/ctr"))
			w.At(below, "the container's root below the bind", func() { w.Propagation(".", sandbox.Private) })
			w.Control(pivotAt(w, "/ctr"))
		}},
		// runc 2404: rootPropagation rshared; what is mounted for the container shows on the
		// machine, and stays there when the pivot fails.
		{ID: "recipes/runc-rshared-root", Body: func(w *sandbox.World) {
			mountWithDir(w)
			w.PropagationBelow("/", sandbox.Shared)
			host := w.Peer()
			w.Rbind("/tmp/ctr", "/tmp/ctr")
			w.Mkdir("/tmp/ctr/proc")
			w.Tmpfs("/tmp/ctr/proc")
			leaked(w, host.PID, "/tmp/ctr/proc")
			w.Observe(pivotAt(w, "/tmp/ctr"))
			w.PropagationBelow("/", sandbox.Private)
			w.Control(pivotAt(w, "/tmp/ctr"))
		}},
		// systemd 28793: the way back to the initramfs at shutdown, with everything shared.
		{ID: "recipes/systemd-shutdown-shared-mounts", Body: func(w *sandbox.World) {
			shutdown(w)
			w.PropagationBelow("/", sandbox.Shared)
			w.Observe(pivotAt(w, "/run/initramfs"))
			w.PropagationBelow("/", sandbox.Private)
			w.Control(pivotAt(w, "/run/initramfs"))
		}},
		{ID: "recipes/systemd-shutdown", Body: func(w *sandbox.World) {
			shutdown(w)
			w.PropagationBelow("/", sandbox.Shared)
			w.PropagationBelow("/", sandbox.Private)
			w.ObserveSuccess(pivotAt(w, "/run/initramfs"))
			w.Fact("umount", w.Umount(".", unix.MNT_DETACH).Outcome)
			w.FollowTo("/")
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash-after-umount", w.Label("/.."))
		}},
	}
}

// mountWithDir is a jail with a private mount /tmp and the directory ctr on it, the root of a
// container to be.
func mountWithDir(w *sandbox.World) {
	w.JailWithout()
	w.Mkdir("/tmp")
	w.Tmpfs("/tmp")
	w.Mkdir("/tmp/ctr")
}

// pivotAt goes to dir and makes pivot_root(".", ".").
func pivotAt(w *sandbox.World, dir string) sandbox.Call {
	w.Chdir(dir)
	return w.PivotRoot(".", ".")
}

// leaked makes sure that a mount of the world's shows in another task's namespace.
func leaked(w *sandbox.World, task int, point string) { w.MountAt(task, point) }

// shutdown is a jail with an unpacked initramfs on /run, bound onto itself as systemd does with
// what is no mount point.
func shutdown(w *sandbox.World) {
	w.JailWithout()
	w.Mkdir("/run")
	w.Tmpfs("/run")
	w.Mkdir("/run/initramfs")
	w.Bind("/run/initramfs", "/run/initramfs")
	w.Mark("new_root", "/run/initramfs")
}
