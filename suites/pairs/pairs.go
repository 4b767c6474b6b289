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

// group are calls to be made for which the same has to be set, each of one fault or two.
type group struct {
	setting
	keys  [][2]string // as in faults.Winners
	calls [][2]sandbox.Arg
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
	won := make(faults.Winners, 1024)
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
	r.root = r.home.mount
	w.Enter(r.root, overrides()...)
	w.Observe(r.first(plan(faults.AtOnce(list)...)))
	r.all(list, won)
	for f, row := range faults.Rows(won) {
		w.Fact(f, row)
	}
	if !r.whole {
		w.Stop()
	}
	r.share(mounts{})
	w.Briefly("every fault alone, then every two that can be true at once", func() { w.Enter(r.own.root.mount) })
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
	// shared are the mounts that are shared now.
	shared mounts
	// root is a descriptor of the root that the spec's thread has, with all capabilities but the overrides
	// and with the working directory where descriptors are paths; nowhere if a call may have moved it.
	root int
	// whole says that every call failed and nothing has moved.
	whole bool
}

// nowhere is no descriptor.
const nowhere = -1

// order sorts calls by what has to be set for them, and those for which it cannot be undone last.
func order(a, b *group) int {
	return cmp.Or(
		flag(a.restricted)-flag(b.restricted), flag(a.child)-flag(b.child), flag(a.drop)-flag(b.drop),
		slices.Compare(a.shared.all(), b.shared.all()), flag(a.elsewhere)-flag(b.elsewhere), a.root-b.root,
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
	outcomes, effect := r.make(c.setting, [][2]sandbox.Arg{c.args})
	return sandbox.Call{Outcome: outcomes[0], Effect: effect}
}

// all makes the call of each fault alone and of each pair, and adds who won.
func (r *rehearsal) all(list []faults.Fault, won faults.Winners) {
	r.whole = true
	for _, g := range r.groups(list) {
		outcomes, effect := r.make(g.setting, g.calls)
		for i, o := range outcomes {
			won[g.keys[i]] = o
			r.whole = r.whole && o != record.OK
		}
		if effect != sandbox.None {
			last := g.keys[len(g.keys)-1]
			r.w.Fact("moved", fmt.Sprintf("%s, at the latest by %s", effect, strings.Join(last[:], " ")))
			r.whole = false
		}
		if !r.whole {
			return
		}
	}
}

// groups returns the calls of each fault alone and of each pair. Those of one setting stay in the order of
// the table, the single ones first.
func (r *rehearsal) groups(list []faults.Fault) []*group {
	var out []*group
	by := map[setting]*group{}
	add := func(key [2]string, faults ...*faults.Fault) {
		c := r.place(plan(faults...))
		g := by[c.setting]
		if g == nil {
			g = &group{setting: c.setting}
			by[c.setting], out = g, append(out, g)
		}
		g.keys, g.calls = append(g.keys, key), append(g.calls, c.args)
	}
	for i := range list {
		add([2]string{list[i].ID, ""}, &list[i])
	}
	for _, p := range faults.Pairs(list) {
		if !p.Excluded {
			add([2]string{p.A.ID, p.B.ID}, p.A, p.B)
		}
	}
	slices.SortFunc(out, order)
	return out
}

// make makes calls for which the same has to be set, and returns their outcomes and what has
// become of the caller since.
func (r *rehearsal) make(c setting, calls [][2]sandbox.Arg) (outcomes []string, effect string) {
	less := overrides()
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
	switch {
	case r.root != c.root:
		r.w.Enter(c.root, less...)
		r.root = c.root
	case c.drop:
		r.w.Effective(less...)
	}
	outcomes, effect = r.w.Outcomes(calls)
	if effect != sandbox.None || slices.Contains(outcomes, record.OK) {
		r.root = nowhere
	}
	if c.drop {
		r.w.Effective(overrides()...)
	}
	return outcomes, effect
}

// overrides are the capabilities that override permission bits, which no caller has.
func overrides() []int { return []int{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} }

// share makes the given mounts shared, and those that are private. The working directory is where
// descriptors are paths.
func (r *rehearsal) share(wanted mounts) {
	if wanted == r.shared {
		return
	}
	r.w.Briefly("", func() {
		for _, fd := range r.shared.all() {
			if !slices.Contains(wanted.all(), fd) {
				r.w.Propagation(strconv.Itoa(fd), sandbox.Private)
			}
		}
		for _, fd := range wanted.all() {
			if !slices.Contains(r.shared.all(), fd) {
				r.w.Propagation(strconv.Itoa(fd), sandbox.Shared)
			}
		}
	})
	r.shared = wanted
}
