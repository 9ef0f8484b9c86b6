package review

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rollcall/internal/ownfile"
	"rollcall/internal/words"
)

// Collected lists the files of decisions that were accepted.
type Collected struct {
	Kind    string          `json:"kind"`
	Version int             `json:"version"`
	Files   []CollectedFile `json:"files"`
}

// CollectedFile is a file of decisions that was accepted.
type CollectedFile struct {
	File        string    `json:"file"`     // within the review
	GivenAs     string    `json:"given_as"` // as it was named
	SHA256      string    `json:"sha256"`
	Reviewer    string    `json:"reviewer"`
	CollectedAt time.Time `json:"collected_at"`
	Items       int       `json:"items"`
	// Replaced is the time when a later file of the reviewer replaced it.
	Replaced time.Time `json:"replaced_at,omitzero"`
}

// Refusal contains the reasons why a file of decisions was not accepted.
type Refusal struct {
	File     string
	Problems []string
}

// mostProblems is the maximum number of a file's problems that are reported.
const mostProblems = 20

func (e *Refusal) Error() string {
	shown := e.Problems[:min(len(e.Problems), mostProblems)]
	text := e.File + " was not accepted: " + strings.Join(shown, "; ")
	if n := len(e.Problems) - len(shown); n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return text
}

// Collected reads the list of accepted files.
func (r *Review) Collected() (*Collected, error) {
	c := &Collected{Kind: collectedKind, Version: version, Files: []CollectedFile{}}
	text, err := readFile(r.files, collectedFile, maxJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := decode(text, c, collectedKind); err != nil {
		return nil, fmt.Errorf("%s: %w", collectedFile, err)
	}
	return c, nil
}

// Collect accepts a file of decisions, or refuses it with a *Refusal. replace
// accepts it instead of an earlier one of the same reviewer.
func (r *Review) Collect(ctx context.Context, name string, text []byte, replace bool, now time.Time) (*CollectedFile,
	error) {
	unlock, err := r.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	c, err := r.Collected()
	if err != nil {
		return nil, err
	}
	sum := sumOf(text)
	for _, f := range c.Files {
		if f.SHA256 == sum {
			return nil, &Refusal{name, []string{fmt.Sprintf("this very file was collected on %s, from %s",
				words.Time(f.CollectedAt), f.Reviewer)}}
		}
	}
	answers, reviewer, problems := r.read(text)
	if len(problems) > 0 {
		return nil, &Refusal{name, problems}
	}
	at := slices.IndexFunc(c.Files, func(f CollectedFile) bool {
		return f.Reviewer == reviewer.Name && f.Replaced.IsZero()
	})
	now = now.UTC().Truncate(time.Second)
	if at >= 0 && !replace {
		return nil, &Refusal{name, []string{fmt.Sprintf("%s has answered already, by the file %s collected on %s: "+
			"--replace takes this file in its place", reviewer.Name, c.Files[at].GivenAs, words.Time(c.Files[at].CollectedAt))}}
	}
	extension := ".csv"
	if isJSON(text) {
		extension = ".json"
	}
	f := CollectedFile{
		File:    path.Join(decisionsDir, fmt.Sprintf("%s-%s%s", reviewer.Sheet, sum[:8], extension)),
		GivenAs: name, SHA256: sum, Reviewer: reviewer.Name, CollectedAt: now, Items: len(answers),
	}
	if at >= 0 {
		c.Files[at].Replaced = now
	}
	c.Files = append(c.Files, f)
	if err := r.write(f.File, text); err != nil {
		return nil, err
	}
	list, err := encode(c)
	if err == nil {
		err = r.write(collectedFile, list)
	}
	return &f, err
}

// lock keeps other processes from collecting at the same time.
func (r *Review) lock(ctx context.Context) (unlock func(), err error) {
	if err := checkPath(r.files, lockFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return ownfile.Lock(ctx, filepath.Join(r.dir, lockFile))
}

// read reads a file of decisions, and returns its problems.
func (r *Review) read(text []byte) (answers []answered, of *Reviewer, problems []string) {
	answers, err := r.parseDecisions(text)
	if err != nil {
		return nil, nil, []string{err.Error()}
	}
	if len(answers) == 0 {
		return nil, nil, []string{"it has no decisions"}
	}
	if why := r.otherFreeze(answers); why != "" {
		return nil, nil, []string{why}
	}
	of, why := r.oneReviewer(answers)
	if why != "" {
		return nil, nil, []string{why}
	}
	seen := map[string]string{}
	for n := range answers {
		a := &answers[n]
		for _, p := range r.judge(a, of, seen) {
			problems = append(problems, a.where+": "+p)
		}
		a.By = of.Name
	}
	if n := of.Items - len(seen); n > 0 {
		problems = append(problems, fmt.Sprintf("%s of %s missing, the first %s", words.Count(n, "line"),
			map[bool]string{true: of.Name + " is", false: of.Name + " are"}[n == 1], r.firstMissing(of, seen)))
	}
	return answers, of, problems
}

// firstMissing names the first line of a reviewer that is missing from a file.
func (r *Review) firstMissing(of *Reviewer, seen map[string]string) string {
	for n := range r.Items {
		if i := &r.Items[n]; i.Reviewer == of.Name && seen[i.Line] == "" {
			return i.Line + " (" + i.Title() + ")"
		}
	}
	return ""
}

// otherFreeze returns a problem if a file belongs to another freeze, and otherwise
// "".
func (r *Review) otherFreeze(answers []answered) string {
	for _, a := range answers {
		switch p := r.Manifest.Previous; {
		case a.freeze == r.ShortFreeze():
		case p != nil && len(p.Freeze) > freezeShown && a.freeze == shortFreeze(p.Freeze):
			return fmt.Sprintf("%s: it is for the review %s, which is past: this is %s", a.where, p.Name, r.Manifest.Name)
		case a.freeze == "":
			return a.where + ": the freeze is missing"
		default:
			return fmt.Sprintf("%s: it is for the freeze %.40q, and the freeze of %s is %s", a.where, a.freeze,
				r.Manifest.Name, r.ShortFreeze())
		}
	}
	return ""
}

// oneReviewer returns the reviewer who wrote a file, or the reason why there is none.
func (r *Review) oneReviewer(answers []answered) (*Reviewer, string) {
	first := &answers[0]
	for n := range answers {
		a := &answers[n]
		switch {
		case fold(a.reviewer) != fold(first.reviewer):
			return nil, fmt.Sprintf("%s: the reviewer is %.100q, and before it was %.100q: a file has the lines of one "+
				"reviewer", a.where, a.reviewer, first.reviewer)
		case fold(a.By) != fold(first.By):
			return nil, fmt.Sprintf("%s: it is decided by %.100q, and before by %.100q: two people cannot answer in one "+
				"file", a.where, a.By, first.By)
		}
	}
	of := r.reviewer(first.reviewer)
	if of == nil {
		return nil, fmt.Sprintf("%s: %.100q is no reviewer of %s", first.where, first.reviewer, r.Manifest.Name)
	}
	return of, ""
}

// judge returns the problems of a decision.
func (r *Review) judge(a *answered, of *Reviewer, seen map[string]string) (problems []string) {
	i := r.item(a.Line)
	switch {
	case i == nil:
		return []string{fmt.Sprintf("%.40q is no line of the population", a.Line)}
	case seen[a.Line] != "":
		return []string{fmt.Sprintf("%s was decided on %s already", a.Line, seen[a.Line])}
	case i.Reviewer != of.Name:
		return []string{fmt.Sprintf("%s is for %s to decide, and not for %s", a.Line, i.Reviewer, of.Name)}
	}
	seen[a.Line] = a.where
	switch {
	case isOwn(of.Name, of.Own, i.User), a.By != "" && isOwn(a.By, nil, i.User):
		problems = append(problems, fmt.Sprintf("%s cannot decide about %s, who is the same person",
			orName(a.By, of.Name), i.User))
	case a.By == "":
		problems = append(problems, "it does not say who decided: decided_by is empty")
	case fold(a.By) != fold(of.Name):
		problems = append(problems, fmt.Sprintf("it was decided by %.100q, and the reviewer is %s", a.By, of.Name))
	}
	if len(a.altered) > 0 {
		problems = append(problems, fmt.Sprintf("the facts of %s were altered: %s", a.Line, strings.Join(a.altered, ", ")))
	}
	if a.facts != "" && a.facts != digestOf(i) {
		problems = append(problems, fmt.Sprintf("the facts of %s were altered", a.Line))
	}
	return append(problems, a.check(i, r.Manifest.StartedAt)...)
}

func orName(name, or string) string {
	if name == "" {
		return or
	}
	return name
}

// Decisions returns the decisions that were accepted, by line. It reads and checks
// the files again.
func (r *Review) Decisions() (map[string]Decision, error) {
	c, err := r.Collected()
	if err != nil {
		return nil, err
	}
	all := map[string]Decision{}
	for _, f := range c.Files {
		text, err := r.readCollected(&f)
		if err != nil {
			return nil, err
		}
		if !f.Replaced.IsZero() {
			continue
		}
		answers, of, problems := r.read(text)
		if len(problems) == 0 && of.Name != f.Reviewer {
			problems = []string{"it is of " + of.Name + " and not of " + f.Reviewer}
		}
		if len(problems) > 0 {
			return nil, &Refusal{f.File, problems}
		}
		for _, a := range answers {
			if _, twice := all[a.Line]; twice {
				return nil, fmt.Errorf("%s: %s was decided in another file", f.File, a.Line)
			}
			a.At = f.CollectedAt
			all[a.Line] = a.Decision
		}
	}
	return all, nil
}

// readCollected reads an accepted file, which must not have changed since.
func (r *Review) readCollected(f *CollectedFile) ([]byte, error) {
	if path.Dir(f.File) != decisionsDir {
		return nil, fmt.Errorf("%s: %.100q is not a file in %s", collectedFile, f.File, decisionsDir)
	}
	text, err := readFile(r.files, f.File, MaxDecisions)
	if err == nil && sumOf(text) != f.SHA256 {
		err = fmt.Errorf("%s is not what was collected: its SHA-256 differs", f.File)
	}
	return text, err
}
