package exhaust

import (
	"fmt"
	"slices"
	"strings"

	"pivotspec/suites/enumerate"
	"pivotspec/suites/model"
)

// Disagreement is a world in which the kernel does not do what the model says.
type Disagreement struct {
	// World is the smallest world found that shows it, Found the one that was met.
	World, Found model.World
	// Model and Kernel say in words what either makes of World.
	Model, Kernel string
}

// Compare tries the world. It returns nil if the kernel does what the model says. An error
// means that nothing was seen: never an agreement.
func (l *Lab) Compare(w *model.World) (d *Disagreement, outcome model.Errno, err error) {
	want := model.PivotRoot(l.era, w)
	got, err := l.Try(w)
	if err != nil {
		return nil, "", err
	}
	for i := range got.Mounts {
		if !showsLock(got.Mounts, i) {
			got.Mounts[i].Locked = want.Mounts[i].Locked
		}
	}
	if Same(&want, &got) {
		return nil, got.Errno, nil
	}
	return &Disagreement{World: clone(w), Found: clone(w), Model: Describe(l.era, w, &want), Kernel: Describe(l.era, w, &got)}, got.Errno, nil
}

// Same reports whether two outcomes are the same, as far as they can be seen.
func Same(a, b *model.Outcome) bool {
	return a.Errno == b.Errno && a.Root == b.Root && a.Cwd == b.Cwd &&
		slices.Equal(a.Mounts, b.Mounts) && slices.Equal(a.Tasks, b.Tasks)
}

// Describe says what an outcome changes in a world.
func Describe(era *model.Era, w *model.World, o *model.Outcome) string {
	before := era.Mounts(w)
	said := string(o.Errno)
	if o.Failed != "" {
		said += " (" + string(o.Failed) + ")"
	}
	var moved []string
	move := func(what string, from, to model.Pos) {
		if from != to {
			moved = append(moved, fmt.Sprintf("%s from %v to %v", what, from, to))
		}
	}
	for i, m := range o.Mounts {
		move(fmt.Sprintf("mount %d", i), before[i].On, m.On)
		if m.Locked != before[i].Locked {
			moved = append(moved, fmt.Sprintf("mount %d locked: %t", i, m.Locked))
		}
	}
	move("root", w.Root, o.Root)
	move("cwd", w.Cwd, o.Cwd)
	for i, t := range o.Tasks {
		move(fmt.Sprintf("bystander %d's root", i+1), w.Tasks[i].Root, t.Root)
		move(fmt.Sprintf("bystander %d's cwd", i+1), w.Tasks[i].Cwd, t.Cwd)
	}
	if len(moved) == 0 {
		return said + ", nothing moves"
	}
	return said + ", moves " + strings.Join(moved, ", ")
}

func clone(w *model.World) model.World {
	c := *w
	c.Mounts, c.Tasks = slices.Clone(w.Mounts), slices.Clone(w.Tasks)
	return c
}

// maxTries bounds how many worlds are tried to make one smaller.
const maxTries = 300

// Shrink looks for a smaller world that shows a disagreement too, until none of those that lack
// one thing does.
func (l *Lab) Shrink(d *Disagreement) {
	for tries, smaller := 0, true; smaller; {
		smaller = false
		for w := range enumerate.Smaller(&d.World) {
			if tries++; tries > maxTries {
				return
			}
			// A world that cannot be built is not one to tell about.
			e, _, err := l.Compare(&w)
			if err == nil && e != nil {
				d.World, d.Model, d.Kernel = e.World, e.Model, e.Kernel
				smaller = true
				break
			}
		}
	}
}
