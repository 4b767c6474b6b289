package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"pivotspec/harness/arch"
)

// listQEMUs prints which QEMU each architecture needs, and what of that is on this machine.
func listQEMUs(w io.Writer, table *arch.Table) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "\nARCH\tQEMU\tPACKAGE\tHERE")
	for _, name := range table.Names() {
		a, err := table.Arch(name)
		if err != nil {
			return failed(err)
		}
		here, err := a.FindQEMU()
		old := (*arch.OldQEMUError)(nil)
		switch {
		case errors.As(err, &old):
			here = old.Have
		case err != nil:
			here = "not installed"
		}
		if err != nil && a.QEMU.Least != "" {
			here += fmt.Sprintf("; %s or newer is needed: %s", a.QEMU.Least, a.QEMU.Newer)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", a.Name, a.QEMU.Binary, a.QEMU.Package, here)
	}
	if err := t.Flush(); err != nil {
		return unprinted(err)
	}
	return nil
}
