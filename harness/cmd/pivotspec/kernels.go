package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/kernels"
	"pivotspec/results/progress"
)

func kernelsCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "kernels",
		Short:                      "List or fetch the kernels of the catalogue",
		SuggestionsMinimumDistance: 2,
	}
	group(cmd)
	cmd.AddCommand(listCommand(o), fetchCommand(o))
	return cmd
}

func listCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the kernels that have a name, and what of them and of QEMU is on this machine",
		Args:  atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			l, err := lab.Open(o.cache, "")
			if err != nil {
				return failed(err)
			}
			if err := listKernels(cmd.OutOrStdout(), l.Store.List()); err != nil {
				return err
			}
			return listQEMUs(cmd.OutOrStdout(), l.Table)
		},
	}
}

func fetchCommand(o *options) *cobra.Command {
	var wish lab.Wish
	var refresh bool
	cmd := &cobra.Command{
		Use:   "fetch [KERNEL ...]",
		Short: "Fetch kernels of the catalogue into the cache (without KERNEL, the default matrix)",
		Long: `Fetch kernels of the catalogue into the cache (without KERNEL, the default matrix).

KERNEL may also be gvisor: runsc is built then, so that later runs need no network.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			var opts []kernels.Option
			if refresh {
				opts = append(opts, kernels.Refresh())
			}
			l, err := lab.Open(o.cache, sourceTree(), opts...)
			if err != nil {
				return failed(err)
			}
			wish.Kernels = args
			plan, err := l.Resolve(wish)
			if err != nil {
				return usage(err)
			}
			if paths := plan.Paths(); len(paths) > 0 {
				return usage(fmt.Errorf("%s is a file or folder: only kernels of the catalogue can be fetched; see `pivotspec kernels list`", paths[0]))
			}
			if b := plan.Fixed(); len(b) > 0 {
				return usage(fmt.Errorf("%s is no kernel of the catalogue: there is nothing to fetch", b[0]))
			}
			p := progress.New(file(cmd.ErrOrStderr()), 0, os.Getenv)
			results := l.Store.Get(cmd.Context(), plan.Entries(), fetching(p))
			sets := plan.Programs(cmd.Context(), fetching(p))
			made := plan.Prepare(cmd.Context(), watch(p).Doing)
			p.Close()
			exit := 0
			for _, set := range sets {
				for _, d := range set.Debs {
					if d.Err != nil {
						complain(cmd.ErrOrStderr(), d.Err)
						exit = exitHarness
					}
				}
			}
			for _, r := range made {
				if r.Err != nil {
					complain(cmd.ErrOrStderr(), r.Err)
					exit = exitHarness
				} else if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\n", r.Name, cmp.Or(r.Kernel.Version, r.Kernel.PackageVersion)); err != nil {
					return unprinted(err)
				}
			}
			for _, r := range results {
				if r.Err != nil {
					complain(cmd.ErrOrStderr(), r.Err)
					exit = exitHarness
					continue
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s\t%s\n", r.Entry.Name, r.Kernel.Version, r.Kernel.PackageVersion); err != nil {
					return unprinted(err)
				}
				if why := r.Kernel.NoModules; why != "" {
					fmt.Fprintf(cmd.ErrOrStderr(), "%s has no modules: %s; what needs one will be unsupported there\n", r.Entry.Name, why)
				}
			}
			return ended(exit)
		},
	}
	cmd.Flags().BoolVar(&refresh, "refresh", false, "look for newer versions of kernels that are cached")
	cmd.Flags().StringSliceVar(&wish.Archs, "arch", nil, "`ARCH`,... of the kernels that are named without one, or all")
	cmd.Flags().StringSliceVar(&wish.Scenarios, "scenario", nil, "`NAME`,... of ways to boot, or all, whose programs are fetched too")
	return cmd
}

// of apt's messages, which name the host and the file that it did not get.
var addresses = regexp.MustCompile(`(Failed to fetch )?\b[a-z]+://\S+ *| *\[IP: [^]]*\]`)

// withoutHosts shortens what apt said to what happened: of which host and file is in the error of the fetch itself.
func withoutHosts(s string) string {
	return strings.Join(strings.Fields(addresses.ReplaceAllString(s, " ")), " ")
}

func listKernels(w io.Writer, list []kernels.Listing) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "KERNEL\tARCH\tDEFAULT\tABIS\tHERE")
	for _, k := range list {
		matrix := ""
		switch {
		case k.Entry.Default:
			matrix = "yes"
		case k.Entry.All:
			matrix = "--arch all"
		}
		abis := strings.Join(append([]string{k.Entry.Arch}, k.Entry.ABIs...), ",")
		here := "not fetched"
		switch {
		case k.Cached:
			here = k.Kernel.Version
		case k.Failed != nil:
			here = "not to be had: " + withoutHosts(k.Failed.Happened)
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", k.Entry.Name, k.Entry.Arch, matrix, abis, here)
	}
	if err := t.Flush(); err != nil {
		return unprinted(err)
	}
	return nil
}
