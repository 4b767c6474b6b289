package exhaust

import (
	"fmt"
	"time"

	"pivotspec/suites/enumerate"
	"pivotspec/suites/model"
	"pivotspec/suites/record"
	"pivotspec/suites/sandbox"
)

// rowLength is how many worlds a record tells of at most, and rowTime after how long it is sent
// even if it could tell of more: who supervises takes a silent guest for hung.
const (
	rowLength = 500
	rowTime   = time.Second
)

// maxTold bounds how many worlds a guest tells of in full; of the others, only the letters.
const maxTold = 20

// Letters of [record.Worlds.Outcomes].
const (
	disagrees = '!'
	unseen    = '#'
)

// Letter is the letter of an outcome that kernel and model agree on.
func Letter(e model.Errno) byte {
	switch e {
	case model.OK:
		return 'o'
	case model.EINVAL:
		return 'i'
	case model.EBUSY:
		return 'b'
	case model.ENOENT:
		return 'n'
	case model.EPERM:
		return 'p'
	case model.EFAULT:
		return 'f'
	case model.ENOTDIR:
		return 'd'
	}
	return '?'
}

// Run compares the worlds of a request from index first on, and sends what it finds. at is told
// the index of each world before it is built. maxTold bounds the worlds told in full.
func Run(k sandbox.Kernel, era *model.Era, req enumerate.Request, first int, at func(int), send func(*record.Record)) error {
	l, err := NewLab(k, era)
	if err != nil {
		return err
	}
	defer l.Close()
	r := row{send: send, first: first, began: time.Now()}
	told := map[string]bool{}
	index := 0
	req.Each(func(w *model.World) bool {
		i := index
		index++
		if i < first {
			return true
		}
		at(i)
		d, errno, err := l.Compare(w)
		switch letter := Letter(errno); {
		case err != nil:
			r.add(w, unseen)
			if len(told) < maxTold {
				told[w.String()] = true
				send(Unseen(w, err.Error()))
			}
		case d != nil:
			r.add(w, disagrees)
			if len(told) < maxTold {
				l.Shrink(d)
				if text := d.World.String(); !told[text] {
					told[text] = true
					send(d.record())
				}
			}
		default:
			r.add(w, letter)
		}
		return true
	})
	r.flush()
	return nil
}

// Unseen is the record of a world that could not be compared.
func Unseen(w *model.World, why string) *record.Record {
	return &record.Record{Type: record.TypeWorld, ID: w.String(), Status: record.Broken, Why: why, Steps: Steps(w)}
}

func (d *Disagreement) record() *record.Record {
	return &record.Record{
		Type: record.TypeWorld, ID: d.World.String(), Status: record.Observed, Steps: Steps(&d.World),
		Facts: map[string]string{"model": d.Model, "kernel": d.Kernel, "found": d.Found.String()},
	}
}

// row gathers the outcomes of worlds that follow each other.
type row struct {
	send     func(*record.Record)
	first    int
	outcomes []byte
	digest   uint64
	began    time.Time
}

func (r *row) add(w *model.World, letter byte) {
	r.outcomes = append(r.outcomes, letter)
	r.digest = enumerate.Digest(r.digest, w)
	if len(r.outcomes) == rowLength || time.Since(r.began) > rowTime {
		r.flush()
	}
}

func (r *row) flush() {
	if len(r.outcomes) == 0 {
		return
	}
	r.send(&record.Record{
		Type: record.TypeWorlds, Micros: time.Since(r.began).Microseconds(),
		Worlds: &record.Worlds{First: r.first, Outcomes: string(r.outcomes), Digest: fmt.Sprintf("%016x", r.digest)},
	})
	r.first += len(r.outcomes)
	r.outcomes, r.digest, r.began = r.outcomes[:0], 0, time.Now()
}
