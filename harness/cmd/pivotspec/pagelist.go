package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"pivotspec/harness/lab"
	"pivotspec/kernels"
	"pivotspec/kernels/pages"
	"pivotspec/results/progress"
	"pivotspec/suites/knowledge"
)

// openPages opens the pages in the cache.
func openPages(o *options) (*pages.Store, error) {
	l, err := lab.Open(o.cache, "")
	if err != nil {
		return nil, err
	}
	return pages.Open(l.Store)
}

func pageListCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the editions of the page, and which of them are on this machine",
		Args:  atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			base, err := knowledge.Load()
			if err != nil {
				return failed(err)
			}
			store, err := openPages(o)
			if err != nil {
				return failed(err)
			}
			return listPages(cmd.OutOrStdout(), base, store)
		},
	}
}

func pageFetchCommand(o *options) *cobra.Command {
	return &cobra.Command{
		Use:   "fetch [EDITION ...]",
		Short: "Fetch the source of editions into the cache (without EDITION, all that have a package)",
		RunE: func(cmd *cobra.Command, args []string) error {
			base, err := knowledge.Load()
			if err != nil {
				return failed(err)
			}
			store, err := openPages(o)
			if err != nil {
				return failed(err)
			}
			list := store.All()
			if len(args) > 0 {
				list = nil
			}
			for _, edition := range args {
				if _, ok := base.Edition(edition); !ok {
					return usage(fmt.Errorf("unknown edition %q: see `pivotspec page list`", edition))
				}
				p, err := store.Lookup(edition)
				if err != nil {
					return usage(err)
				}
				list = append(list, p)
			}
			p := progress.New(file(cmd.ErrOrStderr()), 0, os.Getenv)
			results := store.Get(cmd.Context(), list, func(e kernels.Event) {
				if e.Stage == kernels.StageDownload {
					p.Doing("downloading pages", e.Share)
					return
				}
				fetching(p)(e)
			})
			p.Close()
			exit := 0
			for _, r := range results {
				if r.Err != nil {
					complain(cmd.ErrOrStderr(), r.Err)
					exit = exitHarness
					continue
				}
				if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s\t%s %s\t%s\n", r.Page.Edition, r.Copy.Package, r.Copy.PackageVersion, r.Copy.File); err != nil {
					return unprinted(err)
				}
			}
			return ended(exit)
		},
	}
}

func listPages(w io.Writer, base *knowledge.Base, store *pages.Store) error {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "EDITION\tDATE\tSTATEMENTS\tHERE\tSOURCE")
	for _, e := range base.Editions {
		here := "no package"
		if c, ok := store.Cached(e.ID); ok {
			here = c.PackageVersion
		} else if slices.ContainsFunc(store.All(), func(p pages.Page) bool { return p.Edition == e.ID }) {
			here = "not fetched"
		}
		date := e.Date
		if date == "" {
			date = "unknown"
		}
		current := ""
		if e.Current {
			current = " (current)"
		}
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s%s\n", e.ID, date, len(base.Places(e.ID)), here, e.Source, current)
	}
	if err := t.Flush(); err != nil {
		return unprinted(err)
	}
	return nil
}
