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
	"rollcall/internal/store"
)

// accessReport is the head of what GenerateServiceLastAccessedDetails found.
// After it come the users and roles that the report is about, in one or more
// orders, as lines of one length, so that a page reads its own lines alone.
type accessReport struct {
	By       string // who asked, who alone may read it; see reader
	Actions  bool   // asked at the level of actions
	Services []accessedService
	// Entities says how many lines an order has.
	Entities int
	// Orders says by service the order of its entities, those that used
	// it last first; those of all others are in order 0, users first.
	Orders map[string]int
}

// accessedService is a service that could be used, and who did so last.
type accessedService struct {
	Namespace string
	Users     int            `json:",omitempty"` // who used it
	Last      *lastAccess    `json:",omitempty"`
	Tracked   []trackedCalls `json:",omitempty"`
}

// trackedCalls is an action that could be called, and who did so last.
type trackedCalls struct {
	Action string
	Last   *lastAccess `json:",omitempty"`
}

type lastAccess struct {
	At          time.Time
	ARN, Region string
}

const (
	// headSize says how long the number is that says how long the head is.
	headSize = 10
	// entityLine says how long the line of an entity is: its id, padded, its
	// kind, and when it used the service, in seconds since 1970, or zeros.
	entityLine = entityIDSize + 1 + entityTimeSize
	// entityIDSize has room for ids of 21 characters, and more.
	entityIDSize, entityTimeSize = 32, 14
)

// pack is the report as it is stored.
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

// orderings are the orders of a report's entities: the first users before roles
// (recorded) and by their ARNs, and one for each service that somebody used.
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

// readAccessHead reads the head of a stored report, and where its lines begin.
// read gives some bytes of it.
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

// errAccessReport is about a report in no form that this program writes: an
// older one stored it.
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

// addServices adds what could be used, and who of the entities did so last.
// tracked are the latest calls of actions.
func (r *accessReport) addServices(
	granted []grantedService, entities []accessEntity, tracked map[[2]string]trackedUse,
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
		s := used[g.namespace]
		s.Namespace = g.namespace
		if r.Actions {
			s.addTracked(g.actions, tracked)
		}
		r.Services = append(r.Services, s)
	}
}

// addTracked adds the actions that could be called and are tracked: those that
// are served here.
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
