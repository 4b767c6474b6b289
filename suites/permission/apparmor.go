package permission

import (
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// appArmor is the spec of a caller under a profile of AppArmor. The caller is a thread of its own,
// for it stays confined. The kernel takes about a tenth of a second to load a profile under emulation,
// so the plain scenario, which is run the most, goes without.
func appArmor() spec.Spec {
	return spec.Spec{ID: "eacces/apparmor", Scenarios: []string{"ramfs"}, Body: func(w *sandbox.World) {
		w.Jail()
		w.Mkdir("/security")
		w.LoadAppArmor("/security")
		b := w.Bystander("confined")
		b.Confine(sandbox.ProfileWithoutPivotRoot)
		w.ObserveRefusal(b.PivotRoot("/new", "/new/old"))
		b.Confine(sandbox.ProfileWithPivotRoot)
		w.Control(b.PivotRoot("/new", "/new/old"))
	}}
}
