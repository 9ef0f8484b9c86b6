package identity

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rollcall/internal/awsmodel"
	"rollcall/internal/servicegrant"
	"rollcall/internal/store"
)

// accessReport is the head of a report of GenerateServiceLastAccessedDetails.
// The users and roles of the report follow it in one or more orders, as lines
// of equal length, so that a page reads only its own lines.
type accessReport struct {
	By       string // the caller that asked, which alone may read the report; see reader
	Actions  bool   // the report includes actions
	Services []accessedService
	// Entities is the number of lines of each order.
	Entities int
	// Orders maps a service to the order of its entities: the latest use comes
	// first. Order 0 is for all other services: users come first.
	Orders map[string]int
}

// accessedService is a service that the entities could use, with its latest
// use.
type accessedService struct {
	Namespace string
	Users     int            `json:",omitempty"` // entities that used it
	Last      *lastAccess    `json:",omitempty"`
	Tracked   []trackedCalls `json:",omitempty"`
}

// trackedCalls is an action that the entities could call, with its latest call.
type trackedCalls struct {
	Action string
	Last   *lastAccess `json:",omitempty"`
}

type lastAccess struct {
	At          time.Time
	ARN, Region string
}

const (
	// headSize is the number of digits that contain the length of the head.
	headSize = 10
	// entityLine is the length of an entity's line: the padded id, the kind,
	// and the time of the use in seconds since 1970, or zeros.
	entityLine = entityIDSize + 1 + entityTimeSize
	// entityIDSize has room for more than the 21 characters of an id.
	entityIDSize, entityTimeSize = 32, 14
)

// pack returns the report in its stored form.
func (r *accessReport) pack(orders [][]listedEntity) ([]byte, error) {
	head, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("store access report: %w", err)
	}
	b := bytes.NewBuffer(make([]byte, 0, headSize+len(head)+len(orders)*r.Entities*entityLine))
	fmt.Fprintf(b, "%*d", headSize, len(head))
	b.Write(head)
	for _, order := range orders {
		for _, e := range order {
			if len(e.id) > entityIDSize {
				return nil, fmt.Errorf("store access report: the id %q is too long", e.id)
			}
			seconds := int64(0)
			if !e.at.IsZero() {
				seconds = e.at.Unix()
			}
			fmt.Fprintf(b, "%-*s%.1s%*d", entityIDSize, e.id, e.kind, entityTimeSize, seconds)
		}
	}
	return b.Bytes(), nil
}

// listedEntity is one line of an order.
type listedEntity struct {
	kind store.Entity // user or role
	id   string
	at   time.Time // zero for never
}

// orderings returns the orders of a report's entities. The first has users
// before roles (recorded), sorted by ARN. The others are for the services that
// have been used.
func orderings(entities []accessEntity) (orders [][]listedEntity, of map[string]int) {
	slices.SortFunc(entities, func(a, b accessEntity) int {
		return cmp.Or(strings.Compare(string(b.Kind), string(a.Kind)), strings.Compare(a.ARN, b.ARN))
	})
	plain := make([]listedEntity, len(entities))
	used := map[string]map[string]time.Time{}
	for i, e := range entities {
		plain[i] = listedEntity{kind: e.Kind, id: e.ID}
		for _, use := range e.Uses {
			if used[use.Service] == nil {
				used[use.Service] = map[string]time.Time{}
			}
			used[use.Service][e.ID] = use.At
		}
	}
	orders, of = append(orders, plain), map[string]int{}
	for service, at := range used {
		order := slices.Clone(plain)
		for i := range order {
			order[i].at = at[order[i].id]
		}
		slices.SortStableFunc(order, func(a, b listedEntity) int { return b.at.Compare(a.at) })
		of[service] = len(orders)
		orders = append(orders, order)
	}
	return orders, of
}

// readAccessHead reads the head of a stored report and finds where its lines
// begin. read returns a range of the stored bytes.
func readAccessHead(read func(from, n int) ([]byte, error)) (r accessReport, lines int, err error) {
	const first = 16 << 10 // most heads are shorter
	text, err := read(0, first)
	if err != nil {
		return r, 0, err
	}
	if len(text) < headSize {
		return r, 0, errAccessReport
	}
	size, err := strconv.Atoi(strings.TrimSpace(string(text[:headSize])))
	if err != nil {
		return r, 0, errAccessReport
	}
	lines = headSize + size
	if lines > len(text) {
		rest, err := read(len(text), lines-len(text))
		if err != nil {
			return r, 0, err
		}
		text = append(text, rest...)
	}
	if len(text) < lines || json.Unmarshal(text[headSize:lines], &r) != nil {
		return r, 0, errAccessReport
	}
	return r, lines, nil
}

// errAccessReport says that a report has a form that this program does not
// write: an older version stored it.
var errAccessReport = fmt.Errorf("read access report: %w", store.ErrNotFound)

// readEntities reads lines of entities.
func readEntities(text []byte) ([]listedEntity, error) {
	var all []listedEntity
	for ; len(text) >= entityLine; text = text[entityLine:] {
		seconds, err := strconv.ParseInt(strings.TrimSpace(string(text[entityIDSize+1:entityLine])), 10, 64)
		if err != nil {
			return nil, errAccessReport
		}
		e := listedEntity{kind: store.UserEntity, id: strings.TrimSpace(string(text[:entityIDSize]))}
		if text[entityIDSize] == string(store.RoleEntity)[0] {
			e.kind = store.RoleEntity
		}
		if seconds != 0 {
			e.at = time.Unix(seconds, 0).UTC()
		}
		all = append(all, e)
	}
	return all, nil
}

// addServices adds the services that the entities could use, with the latest
// use of each. tracked contains the latest calls of actions.
func (r *accessReport) addServices(
	granted []servicegrant.Service, entities []accessEntity, tracked map[[2]string]trackedUse,
) {
	used := map[string]accessedService{}
	for i := range entities {
		for _, use := range entities[i].Uses {
			s := used[use.Service]
			s.Users++
			if s.Last == nil || use.At.After(s.Last.At) {
				s.Last = &lastAccess{use.At, entities[i].ARN, use.Region}
			}
			used[use.Service] = s
		}
	}
	for _, g := range granted {
		s := used[g.Namespace]
		s.Namespace = g.Namespace
		if r.Actions {
			s.addTracked(g.Actions, tracked)
		}
		r.Services = append(r.Services, s)
	}
}

// addTracked adds the actions that the entities could call and whose calls are
// tracked, which are the actions that Rollcall serves.
func (s *accessedService) addTracked(granted []string, tracked map[[2]string]trackedUse) {
	for _, op := range awsmodel.Operations(s.Namespace) {
		if !slices.Contains(granted, op.Name) {
			continue
		}
		call := trackedCalls{Action: op.Name}
		if use, ok := tracked[[2]string{s.Namespace, op.Name}]; ok {
			call.Last = &lastAccess{use.At, use.ARN, use.Region}
		}
		s.Tracked = append(s.Tracked, call)
	}
}
