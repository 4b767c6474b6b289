package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"pivotspec/images"
	"pivotspec/results/baseline"
	"pivotspec/results/explain"
	"pivotspec/suites/all"
	"pivotspec/suites/knowledge"
)

func explainCommand() *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "explain WORD ...",
		Short: "Say what a behaviour, a claim, an errno, a verdict or a line of pivotspec's output is",
		Long: `Say what a word means: what it is, what the page says and what kernels do, since when and why, how it was
observed and how to repeat it.

WORD is a behaviour (rootfs/pivot), a claim (errors/einval-rootfs), an errno (EINVAL: everything that gives
it), an area, a fault, a scenario, an edition, a kernel (7.0: what it does otherwise than the one before),
another implementation, a verdict or its symbol in the matrix, a commit of the kernel that the ledger
names, or a line that pivotspec printed, whole. Several words are one line.`,
		Example: `  pivotspec explain rootfs/pivot
  pivotspec explain EBUSY
  pivotspec explain 'pivotspec: kernel 6.12 is not to be had: this machine has no apt-get'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usage(fmt.Errorf("%s takes a word or a line to explain, and got none; see `%[1]s --help`", cmd.CommandPath()))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(explain.Formats(), format) {
				return usage(fmt.Errorf("--format %s: there is no such format; there are %s", format, strings.Join(explain.Formats(), ", ")))
			}
			x, err := explainer()
			if err != nil {
				return failed(err)
			}
			word := strings.Join(args, " ")
			list, err := x.Explain(word)
			if unknown := (*explain.UnknownError)(nil); errors.As(err, &unknown) {
				return usage(err)
			}
			if err != nil {
				return failed(err)
			}
			if err := explain.Render(format, cmd.OutOrStdout(), word, list, drawing(cmd.OutOrStdout())); err != nil {
				return unprinted(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&format, "format", "term", "`FORMAT` of the answer: "+strings.Join(explain.Formats(), ", "))
	return cmd
}

// explainer knows all that is built into the program.
func explainer() (*explain.Explainer, error) {
	base, err := knowledge.Load()
	if err != nil {
		return nil, err
	}
	x := &explain.Explainer{Base: base, Cells: baseline.Recorded, Sources: map[string]string{}}
	scenarios, err := images.Scenarios()
	if err != nil {
		return nil, err
	}
	for _, s := range scenarios {
		x.Scenarios = append(x.Scenarios, explain.Scenario{Name: s.Name, Says: s.Says})
	}
	specs, err := all.Specs()
	if err != nil {
		return nil, err
	}
	for i := range specs {
		x.Sources[specs[i].ID] = specs[i].Source()
	}
	return x, nil
}
