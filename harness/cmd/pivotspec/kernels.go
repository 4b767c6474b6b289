package main

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/kernels"
)

func kernelsCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kernels",
		Short: "List or fetch the kernels of the catalogue",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage(errors.New("say what to do with the kernels: list or fetch"))
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "list",
		Short: "List the kernels that have a name, and which of them are on this machine",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(o.cache, "")
			if err != nil {
				return failed(err)
			}
			return listKernels(cmd.OutOrStdout(), l.Store.List())
		},
	})
	var refresh bool
	var archs []string
	fetch := &cobra.Command{
		Use:   "fetch [KERNEL ...]",
		Short: "Fetch kernels of the catalogue into the cache (without KERNEL, the default matrix)",
		RunE: func(cmd *cobra.Command, args []string) error {
			var opts []kernels.Option
			if refresh {
				opts = append(opts, kernels.Refresh())
			}
			l, err := lab.Open(o.cache, "", opts...)
			if err != nil {
				return failed(err)
			}
			entries, paths, err := l.Resolve(lab.Wish{Kernels: args, Archs: archs})
			if err != nil {
				return usage(err)
			}
			if len(paths) > 0 {
				return usage(fmt.Errorf("%s is a file or folder; only kernels of the catalogue can be fetched", paths[0]))
			}
			missing := 0
			for _, r := range l.Store.Get(cmd.Context(), entries, nil) {
				if r.Err != nil {
					missing++
					fmt.Fprintf(cmd.ErrOrStderr(), "pivotspec: %v\n", r.Err)
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\n", r.Entry.Name, r.Kernel.Version, r.Kernel.PackageVersion)
			}
			if missing > 0 {
				return &exitError{status: exitHarness}
			}
			return nil
		},
	}
	fetch.Flags().BoolVar(&refresh, "refresh", false, "look for newer versions of kernels that are cached")
	fetch.Flags().StringSliceVar(&archs, "arch", nil, "`ARCH`,... of the kernels that are named without one")
	cmd.AddCommand(fetch)
	return cmd
}

func listKernels(w io.Writer, list []kernels.Listing) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "KERNEL\tARCH\tDEFAULT\tHERE")
	for _, k := range list {
		isDefault := ""
		if k.Entry.Default {
			isDefault = "yes"
		}
		here := "not fetched"
		switch {
		case k.Cached:
			here = k.Kernel.Version
		case k.Failed != nil:
			here = "not to be had: " + k.Failed.Happened
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", k.Entry.Name, k.Entry.Arch, isDefault, here)
	}
	return t.Flush()
}
