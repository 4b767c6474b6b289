package success

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// propagation are pivots whose mounts have peers, masters or slaves in another mount namespace.
func propagation() []spec.Spec {
	return []spec.Spec{
		{ID: "success/nothing-propagates-to-slaves", Body: func(w *sandbox.World) {
			w.Jail()
			w.Tmpfs("/new/old")
			w.Propagation("/new", sandbox.Shared)
			slave := slaves(w, "/")
			quiet(w, slave.PID, func() { w.ObserveSuccess(w.PivotRoot("/new", "/new/old")) })
		}},
		{ID: "success/nothing-propagates-to-masters", Body: func(w *sandbox.World) {
			w.Jail()
			for _, p := range []string{"/", "/new"} {
				w.Propagation(p, sandbox.Shared)
			}
			master := w.Peer()
			for _, p := range []string{"/", "/new"} {
				w.Propagation(p, sandbox.Slave)
			}
			quiet(w, master.PID, func() { w.ObserveSuccess(w.PivotRoot("/new", "/new/old")) })
		}},
		// The pivot itself propagates nothing, but the umount after it does.
		{ID: "success/umount-of-a-shared-old-root-reaches-its-peer", Body: func(w *sandbox.World) {
			afterUmount(w, func() {})
		}},
		{ID: "success/umount-of-an-old-root-made-slave-stays-here", Body: func(w *sandbox.World) {
			afterUmount(w, func() { w.FollowSlave("/old") })
		}},
		{ID: "success/old-root-made-slave-still-receives", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/third")
			w.Mark("bare directory", "/third")
			w.Propagation("/", sandbox.Shared)
			host := w.Fork("host", 0, func(s *sandbox.Script) {
				s.Unshare(unix.CLONE_NEWNS, "CLONE_NEWNS")
				s.Pause()
				s.Tmpfs("/third")
			})
			w.Propagation("/", sandbox.Slave)
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("at-put-old-third", w.Label("/old/third"))
			host.Resume()
			master := peerGroup(w.MountAt(host.PID, "/third"), "shared:")
			received, _ := w.FindMount(w.Self(), "/old/third")
			w.Fact("received", parent(peerGroup(received, "master:"), map[string]string{master: "slave of the host's mount"}))
		}},
	}
}

// slaves starts a process with a copy of the world's mount namespace in which every mount below
// path is a slave of the world's.
func slaves(w *sandbox.World, path string) *sandbox.Process {
	return w.Fork("slave", 0, func(s *sandbox.Script) {
		s.Unshare(unix.CLONE_NEWNS, "CLONE_NEWNS")
		s.Slaves(path)
	})
}

// quiet notes whether another task's mount table is after step what it was before.
func quiet(w *sandbox.World, task int, step func()) {
	name := fmt.Sprintf("%d/mountinfo", task)
	before := w.ReadProc(name)
	step()
	w.Fact("other-namespace", map[bool]string{true: "unchanged", false: "changed"}[before == w.ReadProc(name)])
}

// peerGroup returns the number that mountinfo gives with the tag "shared:" or "master:" to a mount,
// and the tag itself, which is no number, if it has none.
func peerGroup(m sandbox.Mountinfo, tag string) string {
	for _, f := range strings.Fields(m.Propagation) {
		if n, ok := strings.CutPrefix(f, tag); ok {
			return n
		}
	}
	return tag
}

// afterUmount pivots from a shared root that has a peer in another namespace and a mount below,
// takes a step, unmounts the old root, and notes whether the peer lost its mount.
func afterUmount(w *sandbox.World, step func()) {
	w.JailWithout()
	// The new root lies on a private mount; that on a shared one would be EINVAL.
	for _, d := range []string{"/third", "/private"} {
		w.Mkdir(d)
		w.Tmpfs(d)
	}
	w.Mkdir("/private/new")
	w.Tmpfs("/private/new")
	w.Mkdir("/private/new/old")
	w.Mark("new_root", "/private/new")
	w.Mark("put_old", "/private/new/old")
	w.Propagation("/", sandbox.Shared)
	peer := w.Peer()
	third := w.MountAt(peer.PID, "/third")
	w.ObserveSuccess(w.PivotRoot("/private/new", "/private/new/old"))
	step()
	w.Fact("umount", w.Umount("/old", unix.MNT_DETACH).Outcome)
	w.Fact("at-put-old-after-umount", w.Label("/old"))
	still := slices.ContainsFunc(w.Mountinfo(peer.PID), func(m sandbox.Mountinfo) bool { return m.ID == third.ID })
	w.Fact("in-mount-table", map[bool]string{true: "still there", false: "gone"}[still])
}
