// Command bench prints what the suite costs: the wall time of a full cell over that of the
// same kernel with an init that only powers off, measured in turn in one run, the cost of a
// spec, and the wall time of the whole matrix over that of its bare boots on all processors.
// Between the two stands the floor: a suite of as many behaviours in which nothing happens (see
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
	fmt.Printf("%-16s %9s %9s %7s %9s %7s %7s %9s\n", "cell", "bare s", "floor s", "ratio", "full s", "ratio", "specs", "us/spec")
	var ratios, floors, bares []float64
	for i := range full {
		var b, e, f, r, floor, us []float64
		specs := 0
		for n := range runs + 1 {
			tb, _, err := boot(ctx, bare[i].VM)
			if err != nil {
				return fmt.Errorf("%s, bare: %w", bare[i].Name, err)
			}
			te, _, err := boot(ctx, empty[i].VM)
			if err != nil {
				return fmt.Errorf("%s, empty: %w", empty[i].Name, err)
			}
			tf, recs, err := boot(ctx, full[i].VM)
			if err != nil {
				return fmt.Errorf("%s, full: %w", full[i].Name, err)
			}
			if n == 0 {
				continue // the first boots fill the page cache
			}
			b, e, f = append(b, tb), append(e, te), append(f, tf)
			r, floor = append(r, tf/tb), append(floor, te/tb)
			specs = 0
			var sum int64
			for _, rec := range recs {
				if rec.Type == record.TypeObservation {
					specs++
					sum += rec.Micros
				}
			}
			us = append(us, float64(sum)/float64(max(specs, 1)))
		}
		ratios, floors, bares = append(ratios, median(r)), append(floors, median(floor)), append(bares, median(b))
		fmt.Printf("%-16s %9.2f %9.2f %7.2f %9.2f %7.2f %7d %9.0f\n",
			full[i].Name, median(b), median(e), median(floor), median(f), median(r), specs, median(us))
	}
	fmt.Printf("ratio full/bare: median %.2f, worst %.2f; floor/bare: median %.2f, worst %.2f\n",
		median(ratios), slices.Max(ratios), median(floors), slices.Max(floors))

	cores := runtime.NumCPU()
	start := time.Now()
	cells := (&matrix.Runner{Jobs: cores}).Run(ctx, full)
	wall := time.Since(start).Seconds()
	for _, c := range cells {
		if c.Status != cell.Complete {
			return fmt.Errorf("%s: %s", c.Name, c.Reason)
		}
	}
	// The bare boots in parallel as well: what the machine can do at all.
	start = time.Now()
	(&matrix.Runner{Jobs: cores}).Run(ctx, bare)
	bareWall := time.Since(start).Seconds()
	sum := 0.0
	for _, b := range bares {
		sum += b
	}
	fmt.Printf("matrix of %d cells: %.1f s on %d processors; bare boots one by one %.1f s, over processors %.1f s: ratio %.2f; bare boots in parallel %.1f s: ratio %.2f\n",
		len(full), wall, cores, sum, sum/float64(cores), wall/(sum/float64(cores)), bareWall, wall/bareWall)
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
