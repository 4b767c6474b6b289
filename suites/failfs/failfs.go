// Package failfs observes a caller whose root or working directory is, by fchroot(2) or
// fchdir(2) of Linux 7.3, the filesystem in which every look-up fails.
package failfs

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec {
	root, cwd := (*sandbox.Script).FailfsRoot, (*sandbox.Script).FailfsCwd
	return []spec.Spec{
		failing("eopnotsupp/new-root-absolute-root-is-failfs", root, "/new", "old"),
		failing("eopnotsupp/put-old-absolute-root-is-failfs", root, ".", "/new/old"),
		failing("eopnotsupp/new-root-relative-cwd-is-failfs", cwd, ".", "/new/old"),
		failing("eopnotsupp/put-old-relative-cwd-is-failfs", cwd, "/new", "."),
		failing("einval/relative-paths-root-is-failfs", root, ".", "old"),
	}
}

// failing observes a child whose cwd is new_root until it takes the step enter. The control is
// the same child back where it was.
func failing(id string, enter func(*sandbox.Script), newRoot, putOld string) spec.Spec {
	return spec.Spec{ID: id, Body: func(w *sandbox.World) {
		w.Failfs()
		w.Jail()
		home, there := w.Open("/"), w.Open("/new")
		p := w.Fork("caller", 0, func(s *sandbox.Script) {
			s.Fchdir(there, "new_root")
			enter(s)
			s.Pause()
			s.PivotRoot(newRoot, putOld)
			s.Pause()
			s.Fchdir(home, "the root")
			s.ChrootHere()
			s.Pause()
			s.PivotRoot("/new", "/new/old")
		})
		w.Observe(p.Call("/new"))
		p.Resume()
		w.Control(p.Call("/new"))
	}}
}
