// Package all lists the specs of every area, in the order in which they run.
package all

import (
	"pivotspec/suites/after"
	"pivotspec/suites/boot"
	"pivotspec/suites/busy"
	"pivotspec/suites/detached"
	"pivotspec/suites/failfs"
	"pivotspec/suites/filesystems"
	"pivotspec/suites/foreign"
	"pivotspec/suites/forms"
	"pivotspec/suites/invalid"
	"pivotspec/suites/locked"
	"pivotspec/suites/lookup"
	"pivotspec/suites/migrate"
	"pivotspec/suites/order"
	"pivotspec/suites/pairs"
	"pivotspec/suites/permission"
	"pivotspec/suites/recipes"
	"pivotspec/suites/rootfs"
	"pivotspec/suites/spec"
	"pivotspec/suites/success"
	"pivotspec/suites/tools"
)

// Specs returns every spec. It reports every mistake in the lists at once.
func Specs() ([]spec.Spec, error) {
	// Ways to boot in which the initramfs is the root as it is in the plain one.
	initramfs := []string{"ramfs", "gzip", "zstd"}
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
		filesystems.Specs(),
		migrate.Specs(),
		after.Specs(),
		forms.Specs(),
		spec.Also(rootfs.EarlySpecs(), initramfs...),
		boot.Specs(),
		recipes.Specs(),
		tools.Specs(),
		spec.Also(rootfs.Specs(), initramfs...),
	)
}
