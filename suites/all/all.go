// Package all lists the specs of every area, in the order in which they run.
package all

import (
	"pivotspec/suites/busy"
	"pivotspec/suites/forms"
	"pivotspec/suites/invalid"
	"pivotspec/suites/lookup"
	"pivotspec/suites/migrate"
	"pivotspec/suites/order"
	"pivotspec/suites/permission"
	"pivotspec/suites/recipes"
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
		order.Specs(),
		success.Specs(),
		migrate.Specs(),
		forms.Specs(),
		recipes.Specs(),
		rootfs.Specs(),
	)
}
