// Command bench prints what the suite costs: the wall time of a full cell over that of the
// same kernel with an init that only powers off, measured in turn in one run, the cost of a
// spec, and the wall time of the whole matrix over that of its boots on all processors.
//
// That kernel is booted in two ways: plain, as it starts anywhere, and bare, with the arguments that spare a
// cell a part of that. Full over plain is what a user pays for a cell beyond a boot; full over bare shows what there is
// left to save. Between them stands the floor: a suite of as many behaviours in which nothing happens (see
// command empty). What is above it the specs cost, what is below it that there are so many.
//
// It prints figures and judges none: machines are shared and noisy.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"time"

	"pivotspec/harness/accel"
	"pivotspec/harness/lab"
	"pivotspec/harness/matrix"
	"pivotspec/harness/vm"
	"pivotspec/results/cell"
	"pivotspec/suites/record"
)

// emptyPackage is command empty.
const emptyPackage = "pivotspec/harness/cmd/bench/empty"

func main() {
	runs := flag.Int("runs", 5, "`N` counted runs of each boot, after one that is not counted")
	kernels := flag.String("kernels", "", "`KERNEL,...` to measure (default: the default matrix)")
	archs := flag.String("arch", "", "`ARCH,...` or ARCH/ABI,... of kernels that are named without one, or all")
	accelerator := flag.String("accel", accel.Auto, "accelerator")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := bench(ctx, *runs, *kernels, *archs, *accelerator); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(3)
	}
}

func bench(ctx context.Context, runs int, names, archs, accelerator string) error {
	if runs < 1 {
		return fmt.Errorf("-runs %d: want at least 1", runs)
	}
	wish := lab.Wish{Accel: accelerator}
	if names != "" {
		wish.Kernels = strings.Split(names, ",")
	}
	if archs != "" {
		wish.Archs = strings.Split(archs, ",")
	}
	l, err := lab.Open("", "")
	if err != nil {
		return err
	}
	full, err := l.Jobs(ctx, wish, nil, func(s string) { fmt.Println("#", s) })
	if err != nil {
		return err
	}
	hollow, err := lab.Open("", "")
	if err != nil {
		return err
	}
	hollow.Images.Package = emptyPackage
	empty, err := hollow.Jobs(ctx, wish, nil, nil)
	if err != nil {
		return err
	}
	wish.Bare = true
	bare, err := l.Jobs(ctx, wish, nil, nil)
	if err != nil {
		return err
	}
	var missing int
	if full, empty, bare, missing = ready(full, empty, bare); len(full) == 0 {
		return errors.New("no cell can be booted here")
	}

	fmt.Printf("# medians of %d runs in turn, one guest at a time; us/spec is a spec's own time in the guest\n", runs)
	fmt.Printf("%-16s %8s %8s %8s %8s %11s %10s %10s %6s %8s\n",
		"cell", "plain s", "bare s", "floor s", "full s", "full/plain", "full/bare", "floor/bare", "specs", "us/spec")
	var all []figures
	for i := range full {
		f, err := measure(ctx, runs, bare[i], empty[i], full[i])
		if err != nil {
			return err
		}
		all = append(all, f)
		fmt.Printf("%-16s %8.2f %8.2f %8.2f %8.2f %11.2f %10.2f %10.2f %6d %8.0f\n",
			full[i].Name, f.plain, f.bare, f.floor, f.full, f.fullPlain, f.fullBare, f.floorBare, f.specs, f.micros)
	}
	sum := func(name string, of func(figures) float64) {
		v := each(all, of)
		fmt.Printf("ratio %s: median %.2f, worst %.2f\n", name, median(v), slices.Max(v))
	}
	sum("full/plain", func(f figures) float64 { return f.fullPlain })
	sum("full/bare", func(f figures) float64 { return f.fullBare })
	sum("floor/bare", func(f figures) float64 { return f.floorBare })

	cores := runtime.NumCPU()
	start := time.Now()
	cells := (&matrix.Runner{Jobs: cores}).Run(ctx, full)
	wall := time.Since(start).Seconds()
	for _, c := range cells {
		if c.Status != cell.Complete {
			return fmt.Errorf("%s: %s", c.Name, c.Reason)
		}
	}
	fmt.Printf("matrix of %d cells: %.1f s on %d processors\n", len(full), wall, cores)
	for _, b := range []struct {
		name string
		of   func(figures) float64
	}{
		{"plain", func(f figures) float64 { return f.plain }},
		{"bare", func(f figures) float64 { return f.bare }},
	} {
		total := 0.0
		for _, v := range each(all, b.of) {
			total += v
		}
		fmt.Printf("%s boots one by one: %.1f s, over processors %.1f s: ratio %.2f\n",
			b.name, total, total/float64(cores), wall/(total/float64(cores)))
	}
	if missing > 0 {
		return fmt.Errorf("%d cells were not measured: see above", missing)
	}
	return nil
}

// ready leaves out the cells that cannot be booted here, says why, and returns how many those are.
func ready(full, empty, bare []matrix.Job) (f, e, b []matrix.Job, missing int) {
	for i := range full {
		if err := cmp.Or(full[i].Err, empty[i].Err, bare[i].Err); err != nil {
			fmt.Printf("# not measured: %s: %v\n", full[i].Name, err)
			missing++
			continue
		}
		f, e, b = append(f, full[i]), append(e, empty[i]), append(b, bare[i])
	}
	return f, e, b, missing
}

// figures are the medians of one kernel's boots: seconds of wall time, ratios of boots that followed one another,
// how many specs there are, and a spec's own time in microseconds.
type figures struct {
	plain, bare, floor, full       float64
	fullPlain, fullBare, floorBare float64
	specs                          int
	micros                         float64
}

// measure boots one kernel in each way in turn, runs times, and once before that for the page cache.
func measure(ctx context.Context, runs int, bare, empty, full matrix.Job) (figures, error) {
	plain := bare
	plain.VM.AsIs = true
	var all []figures
	for n := range runs + 1 {
		var f figures
		var records []*record.Record
		var err error
		for _, b := range []struct {
			what string
			job  matrix.Job
			to   *float64
		}{
			{"plain", plain, &f.plain}, {"bare", bare, &f.bare}, {"empty", empty, &f.floor}, {"full", full, &f.full},
		} {
			if *b.to, records, err = boot(ctx, b.job.VM); err != nil {
				return figures{}, fmt.Errorf("%s, %s: %w", b.job.Name, b.what, err)
			}
		}
		f.fullPlain, f.fullBare, f.floorBare = f.full/f.plain, f.full/f.bare, f.floor/f.bare
		for _, r := range records {
			if r.Type == record.TypeObservation {
				f.specs++
				f.micros += float64(r.Micros)
			}
		}
		f.micros /= float64(max(f.specs, 1))
		if n > 0 {
			all = append(all, f)
		}
	}
	of := func(one func(figures) float64) float64 { return median(each(all, one)) }
	return figures{
		plain:     of(func(f figures) float64 { return f.plain }),
		bare:      of(func(f figures) float64 { return f.bare }),
		floor:     of(func(f figures) float64 { return f.floor }),
		full:      of(func(f figures) float64 { return f.full }),
		fullPlain: of(func(f figures) float64 { return f.fullPlain }),
		fullBare:  of(func(f figures) float64 { return f.fullBare }),
		floorBare: of(func(f figures) float64 { return f.floorBare }),
		specs:     all[0].specs,
		micros:    of(func(f figures) float64 { return f.micros }),
	}, nil
}

// each returns one figure of each.
func each(all []figures, of func(figures) float64) []float64 {
	out := make([]float64, len(all))
	for i, f := range all {
		out[i] = of(f)
	}
	return out
}

func boot(ctx context.Context, c vm.Config) (seconds float64, records []*record.Record, err error) {
	rep, err := vm.Run(ctx, c)
	if err != nil {
		return 0, nil, err
	}
	return rep.Wall.Seconds(), rep.Records, nil
}

func median(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	if len(s) == 0 {
		return 0
	}
	if len(s)%2 == 1 {
		return s[len(s)/2]
	}
	return (s[len(s)/2-1] + s[len(s)/2]) / 2
}
