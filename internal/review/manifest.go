package review

import (
	"encoding/json"
	"time"

	"rollcall/internal/audit"
)

// The names of the files of a review.
const (
	manifestFile   = "review.json"
	populationFile = "population.jsonl"
	goneFile       = "gone.jsonl"
	collectedFile  = "collected.json"
	lockFile       = ".lock"
	verifiedFile   = "verified.json"
	reportsDir     = "reports"
	sheetsDir      = "sheets"
	decisionsDir   = "decisions"
	laterDir       = "later"
)

// manifestKind and the other kinds begin our JSON files and distinguish them.
const (
	manifestKind  = "rollcall-review"
	decisionsKind = "rollcall-review-decisions"
	collectedKind = "rollcall-review-collected"
	verifiedKind  = "rollcall-review-verified"
	packKind      = "rollcall-review-pack"
)

// version is that of all JSON files of a review.
const version = 1

// Manifest says what a review froze. docs/schemas/review.schema.json describes
// its JSON form. It is never changed: the SHA-256 of the file is the freeze, by
// which sheets and decisions refer to it.
type Manifest struct {
	Kind      string    `json:"kind"`
	Version   int       `json:"version"`
	Name      string    `json:"name"`
	Program   string    `json:"program"`
	Command   string    `json:"command"`
	StartedAt time.Time `json:"started_at"`
	Benchmark string    `json:"benchmark"`
	// Due is the last day for answers. Revocations are due RevokeWithinDays after
	// the decision came, and the next review EveryDays after this one.
	Due              audit.Date  `json:"due"`
	RevokeWithinDays int         `json:"revoke_within_days"`
	EveryDays        int         `json:"every_days"`
	AccountList      AccountList `json:"account_list"`
	Accounts         []Account   `json:"accounts"`
	Reviewers        []Reviewer  `json:"reviewers"`
	Population       FileSum     `json:"population"`
	Users            int         `json:"users"`
	Items            int         `json:"items"`
	// Previous is the previous review, nil for none.
	Previous *Previous `json:"previous,omitempty"`
}

// AccountList describes the list of expected accounts and its origin.
type AccountList struct {
	// Source is organization, file, folder or arguments. folder means the accounts
	// that the last run of 'rollcall report' into the folder expected. arguments
	// means that each report was named.
	Source string `json:"source"`
	// Name is the name of the organization or the file.
	Name   string    `json:"name,omitempty"`
	Caller string    `json:"caller,omitempty"`
	ReadAt time.Time `json:"read_at"`
	SHA256 string    `json:"sha256,omitempty"` // of the file
}

// AccountState says whether a review contains the report of an account.
type AccountState string

// The states.
const (
	// Reviewed: its report is in the population.
	Reviewed AccountState = "reviewed"
	// Incomplete: its report is in the population, but could not be read completely.
	Incomplete AccountState = "incomplete"
	// Missing: it was expected and has no report.
	Missing AccountState = "missing"
	// Inactive: it is suspended, closed or has left, and no report was expected.
	Inactive AccountState = "inactive"
	// Unlisted: its report is in the population, but the account is not in the list.
	Unlisted AccountState = "unlisted"
)

// Account is an account of the review.
type Account struct {
	Account   string       `json:"account"`
	Name      string       `json:"name,omitempty"`
	Partition string       `json:"partition,omitempty"`
	State     AccountState `json:"state"`
	Why       string       `json:"why,omitempty"`
	Report    *Obtained    `json:"report,omitempty"`
	Users     int          `json:"users"`
	Items     int          `json:"items"`
}

// Obtained says how a report was obtained. Unknown facts are empty.
type Obtained struct {
	File        string    `json:"file"` // within the review
	SHA256      string    `json:"sha256"`
	Bytes       int       `json:"bytes"`
	GeneratedAt time.Time `json:"generated_at"`
	// GeneratedIs explains GeneratedAt if the report does not contain it.
	GeneratedIs string    `json:"generated_is,omitempty"`
	FetchedAt   time.Time `json:"fetched_at,omitzero"`
	Source      string    `json:"source,omitempty"`
	Endpoint    string    `json:"endpoint,omitempty"`
	// Store means that the service of the report is unknown, because the operator took
	// the report out of the store, or because it is a file.
	Store   bool   `json:"store,omitempty"`
	Caller  string `json:"caller,omitempty"`
	Role    string `json:"role,omitempty"`
	Command string `json:"command,omitempty"`
	// Facts are the facts that were saved with the report, such as key ids and tags.
	Facts *FileSum `json:"facts,omitempty"`
}

// Reviewer is a person who decides.
type Reviewer struct {
	Name  string   `json:"name"`
	Sheet string   `json:"sheet"` // the files of the sheet are this with .csv and .html
	Users int      `json:"users"`
	Items int      `json:"items"`
	Own   []string `json:"own_users,omitempty"` // that are theirs, beyond their name
}

// FileSum identifies the content of a file.
type FileSum struct {
	File   string `json:"file"`
	SHA256 string `json:"sha256"`
	Bytes  int64  `json:"bytes"`
}

// Previous is the previous review.
type Previous struct {
	Name      string    `json:"name"`
	Freeze    string    `json:"freeze"`
	StartedAt time.Time `json:"started_at"`
	New       int       `json:"new"`  // items that it had not
	Gone      FileSum   `json:"gone"` // items that only it had
	GoneItems int       `json:"gone_items"`
}

// encode returns a JSON file.
func encode(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", "  ")
	return append(text, '\n'), err
}
