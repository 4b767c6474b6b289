package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/results/cell"
)

// records is the folder in which a run keeps what its cells report.
type records struct {
	dir  string
	lock *os.File
	// before are the cells of earlier runs, without their records: of the last run and of the run in
	// the folder, if it was another.
	before []*cell.Cell
	// lost are the errors of cells whose records did not reach the disk.
	lost []error
}

// openRecords makes sure that dir can be filled, and that no other run fills it meanwhile.
// If dir is "" it is own, the folder of the last run, which is emptied unless that run goes on.
func openRecords(dir, own string, goesOn bool) (*records, error) {
	mine := dir == ""
	if mine {
		dir = own
	}
	if err := cell.Prepare(dir); err != nil {
		return nil, err
	}
	r := &records{dir: dir}
	var err error
	if r.lock, err = os.Open(dir); err != nil {
		return nil, &cell.WriteError{Dir: dir, Err: err}
	}
	// A file system that cannot lock folders goes without.
	if err := unix.Flock(int(r.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		r.close()
		return nil, fmt.Errorf("cannot write records into %s: another pivotspec is doing so; wait for its end or name another folder with --out", dir)
	}
	r.before = cell.Headers(own)
	if !mine {
		r.before = append(r.before, cell.Headers(dir)...)
	}
	if err := r.clear(mine && !goesOn); err != nil {
		r.close()
		return nil, &cell.WriteError{Dir: dir, Err: err}
	}
	return r, nil
}

// clear removes what runs that were killed left unfinished, and if all is set all records.
func (r *records) clear(all bool) error {
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := e.Name()
		if e.Type().IsRegular() && (all || strings.HasPrefix(n, ".cell-") || strings.HasPrefix(n, ".probe-")) {
			if err := os.Remove(filepath.Join(r.dir, n)); err != nil {
				return err
			}
		}
	}
	return nil
}

// plan notes which cells are to come, so that a run that is killed shows as one that lacks
// them. What an earlier run recorded of the same cells is removed, but for those to be kept:
// it must not stand for them.
func (r *records) plan(p *cell.Plan, kept map[string]bool) error {
	for _, c := range p.Cells {
		if kept[c.Name] {
			continue
		}
		if err := os.Remove(filepath.Join(r.dir, cell.FileName(c.Name))); err != nil && !errors.Is(err, os.ErrNotExist) {
			return &cell.WriteError{Dir: r.dir, Err: err}
		}
	}
	return cell.WritePlan(r.dir, p)
}

// keep stores a cell. A failure is told at the end: the report still has the cell.
func (r *records) keep(c *cell.Cell) {
	if _, err := cell.Write(r.dir, c); err != nil {
		r.lost = append(r.lost, err)
	}
}

// close lets go of the folder.
func (r *records) close() { r.lock.Close() }
