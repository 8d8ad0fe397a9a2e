package store

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestJobsComeOnce lets this node and others commit jobs, tells of them late, early or never, and lets who does the work look now and then:
// each job gets into its lane once, in order, and none that this node has told of is missing.
func TestJobsComeOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := &headBoard{}
		b.init()
		l := b.listen("out")
		var stored []*Job
		head, told := int64(0), int64(0) // as committed; as this node's followers may know it
		run := &workRun{groups: map[string]*group{}, stale: true}
		var news handover
		commit := func() (found int64, made []*Job) {
			found = head
			for range rapid.IntRange(0, 3).Draw(t, "jobs") {
				head++
				j := &Job{Lane: fmt.Sprint(head % 3), row: &jobRow{pos: head}}
				stored, made = append(stored, j), append(made, j)
			}
			head++
			return found, made
		}
		look := func() {
			for _, h := range l.takeJobs() {
				news = news.and(h)
			}
			if run.stale || news.read {
				run.take(stored)
				run.stale = false
			} else {
				run.take(news.jobs)
			}
			news = handover{}
			whole(t, run, stored, told)
		}
		for range rapid.IntRange(1, 40).Draw(t, "acts") {
			switch rapid.IntRange(0, 4).Draw(t, "act") {
			case 0, 1: // ours; jobs of another kind are not told
				found, made := commit()
				works := map[string]handover{}
				for _, j := range made {
					works["out"] = works["out"].and(handover{jobs: []*Job{j}})
				}
				b.moved(&workspaceRow{id: 1, found: found, head: head}, works)
				told = head
			case 2: // another node's, of which nobody tells
				commit()
			case 3:
				commit()
				b.heard(1, head)
				told = head
			case 4:
				look()
			}
		}
		look()
	})
}

// whole checks the lanes: every job up to a position once, in order, and no other twice.
func whole(t *rapid.T, run *workRun, stored []*Job, told int64) {
	has := map[int64]int{}
	for _, g := range run.groups {
		for _, l := range g.lanes {
			for i, j := range l.jobs {
				has[j.row.pos]++
				if i > 0 && l.jobs[i-1].row.pos >= j.row.pos {
					t.Fatalf("lane %s is out of order at %d", l.name, j.row.pos)
				}
			}
		}
	}
	for _, j := range stored {
		n := has[j.row.pos]
		if n > 1 || n == 0 && j.row.pos <= told {
			t.Fatalf("job %d is there %d times; told up to %d", j.row.pos, n, told)
		}
	}
}
