package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"pivotspec/kernels/cause"
	"pivotspec/results/baseline"
	"pivotspec/results/cell"
	"pivotspec/results/page"
	"pivotspec/results/pagecheck"
	"pivotspec/results/report"
	"pivotspec/suites/knowledge"
)

func pageCommand(o *options) *cobra.Command {
	cmd := &cobra.Command{
		Use:                        "page",
		Short:                      "Check the source of a manual page, list or fetch editions of it",
		SuggestionsMinimumDistance: 2,
	}
	group(cmd)
	cmd.AddCommand(pageCheckCommand(), pageListCommand(o), pageFetchCommand(o))
	return cmd
}

func pageCheckCommand() *cobra.Command {
	var v view
	var results string
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "Say of each statement of a page whether kernels bear it out (FILE - is the standard input)",
		Long: `check reads the source of pivot_root(2), in man or mdoc macros, compressed or not, and finds each
statement and each item of ERRORS. Of a known claim it says on which kernels it holds; it points out
changed wording, statements that no spec decides, claims that are gone, and what kernels do that the
page does not say.

Exit status: 0 every statement is known; 1 something needs a look; 2 wrong usage, or no page;
3 mandoc is missing, or the records do not say all. 1 wins over 3.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(fmt.Errorf("%s takes the source of a manual page, and got none; see `%[1]s --help`", cmd.CommandPath()))
			}
			return atMost(1, "the source of one manual page")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(pagecheck.Names(), v.format) {
				return usage(fmt.Errorf("--format %s: there is no such format; there are %s", v.format, strings.Join(pagecheck.Names(), ", ")))
			}
			base, err := v.base()
			if err != nil {
				return err
			}
			p, err := readPage(cmd.Context(), args[0], cmd.InOrStdin())
			if err != nil {
				return err
			}
			cells, err := recordsFor(results)
			if err != nil {
				return failed(err)
			}
			sketches, err := knowledge.Sketches()
			if err != nil {
				return failed(err)
			}
			r, err := pagecheck.Check(base, sketches, p, cells, v.edition)
			if err != nil {
				return failed(err)
			}
			if err := pagecheck.Render(v.format, cmd.OutOrStdout(), r, drawing(cmd.OutOrStdout())); err != nil {
				return unprinted(err)
			}
			return ended(r.Exit)
		},
	}
	cmd.Flags().StringVar(&v.format, "format", "term", "`FORMAT` of the answer: "+strings.Join(pagecheck.Names(), ", "))
	cmd.Flags().StringVar(&v.edition, "edition", "", "`EDITION` to compare with (default: the one that is most like FILE)")
	cmd.Flags().StringVar(&results, "results", "", "`DIR` of records to judge by (default: the runs recorded in pivotspec)")
	return cmd
}

// readPage reads and parses the page; "-" is the standard input.
func readPage(ctx context.Context, path string, stdin io.Reader) (*page.Page, error) {
	name, in := "the standard input", stdin
	if path != "-" {
		f, err := openPage(path)
		if err != nil {
			return nil, usage(err)
		}
		defer f.Close()
		name, in = path, f
	}
	p, err := page.Parse(ctx, name, in)
	switch tool := (*page.ToolError)(nil); {
	case errors.As(err, &tool) || errors.Is(err, context.Canceled):
		return nil, failed(err)
	case err != nil:
		return nil, usage(err)
	}
	if !strings.EqualFold(p.Name, "pivot_root") || p.Section != "2" {
		return nil, usage(fmt.Errorf("cannot check %s: it is the page %s(%s), not pivot_root(2); give the source of that", name, p.Name, p.Section))
	}
	return p, nil
}

// openPage opens a regular file, or one that can be read like it: what never ends is refused
// by its length.
func openPage(path string) (*os.File, error) {
	bad := func(happened string) error {
		return &page.InputError{File: path, Happened: happened, Do: "give the source of a page, such as pivot_root.2 or pivot_root.2.gz"}
	}
	// A named pipe that nobody writes to would keep us waiting.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, bad("there is no such file")
	case errors.Is(err, os.ErrPermission):
		return nil, bad("it may not be read")
	case err != nil:
		return nil, bad("it cannot be opened: " + cause.Of(err).Error())
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, bad("it is a folder")
	}
	return f, nil
}

// recordsFor reads the folder that the user gave, else the runs built into the program.
func recordsFor(dir string) ([]*cell.Cell, error) {
	if dir == "" {
		return baseline.Recorded()
	}
	_, cells, err := readRecords(nil, []string{dir})
	if err != nil {
		return nil, err
	}
	if err := ofSuite(cells); err != nil {
		return nil, fmt.Errorf("no judgement by the records in %s: %w", dir, err)
	}
	return cells, nil
}

// drawing returns how to draw on w.
func drawing(w io.Writer) report.Options {
	if f, ok := w.(*os.File); ok {
		return report.TermOptions(f, os.Getenv)
	}
	return report.Options{}
}
