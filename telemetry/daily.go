package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// DailyFile writes to one file per day, as dragoman-2026-11-21.log. It is safe for concurrent use. Nothing is kept in
// memory: a line that was written survives the end of the process.
type DailyFile struct {
	dir  string
	keep int
	now  func() time.Time

	mu   sync.Mutex
	day  string
	file *os.File
}

const (
	dayPrefix = "dragoman-"
	daySuffix = ".log"
)

// Daily makes a DailyFile in a folder, which it makes too, and keeps the newest files: keep of them, 0 for all. A day
// begins at midnight of the clock's own time zone.
func Daily(dir string, keep int, now func() time.Time) (*DailyFile, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("log files: %w", err)
	}
	d := &DailyFile{dir: dir, keep: keep, now: now}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.turn(now().Format(time.DateOnly)); err != nil {
		return nil, fmt.Errorf("log files: %w", err)
	}
	return d, nil
}

// Write is io.Writer. If a new day's file cannot be opened, the day before goes on.
func (d *DailyFile) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return 0, fs.ErrClosed
	}
	var failed error
	if day := d.now().Format(time.DateOnly); day != d.day {
		failed = d.turn(day)
	}
	n, err := d.file.Write(p)
	return n, errors.Join(err, failed)
}

// Close flushes to disk and ends it.
func (d *DailyFile) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	f := d.file
	d.file = nil
	return errors.Join(f.Sync(), f.Close())
}

func (d *DailyFile) turn(day string) error {
	f, err := os.OpenFile(filepath.Join(d.dir, dayPrefix+day+daySuffix), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	old := d.file
	d.file, d.day = f, day
	if old != nil {
		err = old.Close()
	}
	return errors.Join(err, d.prune())
}

// prune goes by the number of files, not by their age: a clock that jumps ahead deletes nothing then.
func (d *DailyFile) prune() error {
	if d.keep <= 0 {
		return nil
	}
	list, err := os.ReadDir(d.dir)
	if err != nil {
		return err
	}
	var ours []string
	for _, e := range list {
		if isDay(e.Name()) && e.Name() != dayPrefix+d.day+daySuffix {
			ours = append(ours, e.Name())
		}
	}
	slices.Sort(ours)
	for len(ours) > d.keep-1 {
		if err := os.Remove(filepath.Join(d.dir, ours[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		ours = ours[1:]
	}
	return nil
}

// isDay knows our files from others in the same folder.
func isDay(name string) bool {
	day, ok1 := strings.CutPrefix(name, dayPrefix)
	day, ok2 := strings.CutSuffix(day, daySuffix)
	_, err := time.Parse(time.DateOnly, day)
	return ok1 && ok2 && err == nil
}
