package success

import (
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// rounds is how often a spec pivots to and fro: often enough to show what would add up.
const rounds = 8

// again are specs that pivot more than once.
func again() []spec.Spec {
	return []spec.Spec{
		{ID: "success/pivot-to-and-fro", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/third")
			w.Tmpfs("/third")
			before := w.Mountinfo(w.Self())
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			back := w.PivotRoot("/old", "/old/new").Result()
			for range rounds {
				for _, c := range []func() sandbox.Call{
					func() sandbox.Call { return w.PivotRoot("/new", "/new/old") },
					func() sandbox.Call { return w.PivotRoot("/old", "/old/new") },
				} {
					if back == record.OK {
						back = c().Result()
					}
				}
			}
			w.Fact("back", back)
			w.Fact("at-slash", w.Label("/"))
			w.Fact("in-mount-table", unchanged(before, w.Mountinfo(w.Self())))
		}},
		// As a boot loader's initrd, the initramfs and the system each hand over to the next.
		{ID: "success/pivot-on-to-a-third-root", Body: func(w *sandbox.World) {
			w.Jail()
			w.Mkdir("/new/next")
			w.Tmpfs("/new/next")
			w.Mkdir("/new/next/old")
			w.Mark("third root", "/new/next")
			w.ObserveSuccess(w.PivotRoot("/new", "/new/old"))
			w.Fact("back", w.PivotRoot("/next", "/next/old").Result())
			w.Fact("at-slash", w.Label("/"))
			w.Fact("at-put-old", w.Label("/old"))
			w.Fact("at-put-old-old", w.Label("/old/old"))
		}},
		{ID: "success/pivot-back-onto-a-stack", Body: func(w *sandbox.World) {
			w.Jail()
			w.ObserveSuccess(w.PivotRoot("/new", "/new"))
			// "/.." leads to the old root, which is on top of the new one.
			w.Fact("back", w.PivotRoot("/..", "/..").Result())
			w.Fact("at-slash", w.Label("/"))
			w.Fact("on-top-of-slash", w.Label("/.."))
		}},
	}
}

// unchanged says whether one mount table is as another was: the same mounts, on the same parents
// and mount points, in whatever order.
func unchanged(before, after []sandbox.Mountinfo) string {
	left := map[sandbox.Mountinfo]bool{}
	for _, m := range before {
		left[m] = true
	}
	for _, m := range after {
		if !left[m] {
			return "another"
		}
		delete(left, m)
	}
	if len(left) > 0 {
		return "gone"
	}
	return "still there"
}
