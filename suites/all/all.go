// Package all lists the specs of every area, in the order in which they run.
package all

import (
	"pivotspec/suites/after"
	"pivotspec/suites/busy"
	"pivotspec/suites/detached"
	"pivotspec/suites/failfs"
	"pivotspec/suites/foreign"
	"pivotspec/suites/forms"
	"pivotspec/suites/invalid"
	"pivotspec/suites/locked"
	"pivotspec/suites/lookup"
	"pivotspec/suites/migrate"
	"pivotspec/suites/order"
	"pivotspec/suites/pairs"
	"pivotspec/suites/permission"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/spec"
	"pivotspec/suites/success"
)

// Specs returns every spec. It reports every mistake in the lists at once.
func Specs() ([]spec.Spec, error) {
	return spec.Join(
		permission.Specs(),
		lookup.Specs(),
		busy.Specs(),
		invalid.Specs(),
		locked.Specs(),
		foreign.Specs(),
		detached.Specs(),
		failfs.Specs(),
		order.Specs(),
		pairs.Specs(),
		success.Specs(),
		migrate.Specs(),
		after.Specs(),
		forms.Specs(),
		rootfs.EarlySpecs(),
		rootfs.Specs(),
	)
}
