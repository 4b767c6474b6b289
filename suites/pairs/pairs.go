// Package pairs makes every two faults of package faults that can be true at once, and observes
// which errno they give. The pairs are generated: a new fault is a row of that table and, if it
// needs what no other does, a case where its call is placed.
//
// A call that fails changes nothing, so one world serves hundreds of them, back to back. What was
// to be seen of each is what the others left: that every fault alone gives its errno in that
// world, that nothing has moved, and that the call without a fault succeeds in the end.
package pairs

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/faults"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
	"pivotspec/suites/spec"
)

// Specs returns the specs of this area.
func Specs() []spec.Spec { return []spec.Spec{{ID: faults.Behaviour, Body: observe}} }

// trial is a call to be made, of one fault or two.
type trial struct {
	key [2]string // as in faults.Winners
	call
}

func observe(w *sandbox.World) {
	_, err := os.Stat("/proc/self/ns/user")
	root := w.MountAt(w.Self(), "/")
	rules, landlock := w.LandlockRules()
	has := map[string]bool{
		"":                    true,
		faults.UserNamespaces: err == nil,
		faults.ParentlessRoot: root.ID == root.Parent,
		faults.Landlock:       landlock,
	}
	won := faults.Winners{}
	list := slices.DeleteFunc(faults.Table(), func(f faults.Fault) bool {
		if !has[f.Needs] {
			won[[2]string{f.ID, ""}] = faults.Absent
		}
		return !has[f.Needs]
	})
	r := &rehearsal{rules: rules}
	w.Briefly("a jail, and for each fault the places that a call with it needs", func() {
		r.ground = lay(w, has[faults.UserNamespaces])
		// Now: who is in a chroot cannot make a user namespace.
		if has[faults.UserNamespaces] {
			r.child = w.Agent("user root", unix.CLONE_NEWUSER)
		}
		if landlock {
			r.bound = w.Hand("restricted caller")
			r.bound.Restrict(rules)
		}
	})
	w.Observe(r.first(plan(faults.AtOnce(list)...)))
	r.all(list, won)
	for f, row := range faults.Rows(won) {
		w.Fact(f, row)
	}
	if !r.whole {
		w.Stop()
	}
	r.share(nil)
	w.Briefly("every fault alone, then every two that can be true at once", func() { w.Enter(r.own.root.top) })
	w.Chdir("/")
	next := "/dir/mid/" + r.leaf
	w.Control(w.PivotRoot(next, next+"/old"))
}

// rehearsal makes calls, and sets what has to be so for each.
type rehearsal struct {
	*ground
	// bound is a caller in a Landlock domain; child the root of a child user namespace, whom
	// rules put into a Landlock domain later, for good.
	bound      *sandbox.Hand
	child      *sandbox.Agent
	rules      int
	restricted bool
	// shared are the mounts that are shared now, by descriptors of their roots.
	shared []int
	// whole says that every call failed and nothing has moved.
	whole bool
}

// order sorts calls by what has to be set for them, and those for which it cannot be undone last.
func order(a, b *trial) int {
	return cmp.Or(
		flag(a.restricted)-flag(b.restricted), flag(a.child)-flag(b.child), flag(a.drop)-flag(b.drop),
		a.root-b.root, slices.Compare(a.shared, b.shared),
	)
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

// first makes the call with the faults of a plan.
func (r *rehearsal) first(v faults.Values) sandbox.Call {
	c := r.place(v)
	outcomes, effect := r.make(c, [][2]sandbox.Arg{c.args})
	return sandbox.Call{Outcome: outcomes[0], Effect: effect}
}

// all makes the call of each fault alone and of each pair, and adds who won.
func (r *rehearsal) all(list []faults.Fault, won faults.Winners) {
	pairs := faults.Pairs(list)
	trials := make([]*trial, 0, len(list)+len(pairs))
	for i := range list {
		f := &list[i]
		trials = append(trials, &trial{[2]string{f.ID, ""}, r.place(plan(f))})
	}
	for _, p := range pairs {
		if !p.Excluded {
			trials = append(trials, &trial{[2]string{p.A.ID, p.B.ID}, r.place(plan(p.A, p.B))})
		}
	}
	// Stable: those of one setting stay in the order of the table, the single ones first.
	slices.SortStableFunc(trials, order)
	r.whole = true
	for len(trials) > 0 && r.whole {
		n := 1
		for n < len(trials) && order(trials[0], trials[n]) == 0 {
			n++
		}
		calls := make([][2]sandbox.Arg, n)
		for i := range calls {
			calls[i] = trials[i].args
		}
		outcomes, effect := r.make(trials[0].call, calls)
		for i, o := range outcomes {
			won[trials[i].key] = o
			r.whole = r.whole && o != record.OK
		}
		if effect != sandbox.None {
			r.w.Fact("moved", fmt.Sprintf("%s, at the latest by %s", effect, strings.Join(trials[n-1].key[:], " ")))
			r.whole = false
		}
		trials = trials[n:]
	}
}

// make makes calls for which the same has to be set, and returns their outcomes and what has
// become of the caller since.
func (r *rehearsal) make(c call, calls [][2]sandbox.Arg) (outcomes []string, effect string) {
	less := []int{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH}
	if c.drop {
		less = append(less, unix.CAP_SYS_ADMIN)
	}
	r.share(c.shared)
	switch {
	case c.child:
		if c.restricted && !r.restricted {
			r.child.Restrict(r.rules)
			r.restricted = true
		}
		r.child.Enter(c.root, less...)
		return r.child.Outcomes(calls)
	case c.restricted:
		return r.bound.Outcomes(c.root, less, calls)
	}
	r.w.Enter(c.root, less...)
	return r.w.Outcomes(calls)
}

// share makes the given mounts shared, and those that are private.
func (r *rehearsal) share(mounts []int) {
	if slices.Equal(mounts, r.shared) {
		return
	}
	w := r.w
	w.Briefly("", func() {
		w.Enter(r.home.top) // where descriptors are paths, with every capability
		for _, fd := range r.shared {
			w.Propagation(strconv.Itoa(fd), sandbox.Private)
		}
		for _, fd := range mounts {
			w.Propagation(strconv.Itoa(fd), sandbox.Shared)
		}
	})
	r.shared = mounts
}
