package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"rollcall/internal/awsmodel"
	"rollcall/internal/service"
	"rollcall/internal/trail"
)

// act describes a change or an export of an installation by an operator, for the
// trail. It must not hold secrets.
type act struct {
	name    string         // name of the event
	account string         // "" for all
	reads   bool           // changes nothing
	asked   map[string]any // the request
	made    map[string]any // the result
}

// addActing adds the flags of an installation, and --trail, to a command that
// acts.
func (in *install) addActing(c *cobra.Command) {
	in.add(c)
	c.Flags().StringVar(&in.trail, "trail", "", "where to record this command, as the service records calls: "+
		"a `file`, - for standard error, or off (default trail.jsonl in the data directory)")
	settings(c.Flags(), "trail")
}

// act runs fn on the installation and records it. It gives the command the
// context of this act.
func (in *install) act(cmd *cobra.Command, create bool, a *act, fn func(*service.Service) error) error {
	if _, err := in.database(create); err != nil {
		return err
	}
	t, err := in.openTrail()
	if err != nil {
		return notBegun(err)
	}
	opened := false
	err = in.with(cmd.Context(), create, func(s *service.Service) error {
		opened = true
		if err := in.expectTrail(cmd.Context(), s, t); err != nil {
			return err
		}
		failed, unrecorded := s.Act(cmd.Context(), t, func(err error) *trail.Record { return in.record(a, err) },
			func(ctx context.Context) error {
				cmd.SetContext(ctx)
				return fn(s)
			})
		return ended(failed, unrecorded)
	})
	if !opened {
		err = ended(err, t.Write(in.record(a, err)))
	}
	return closed(t, err)
}

// expectTrail says which records the trail lacks, as the service does at its
// start.
func (in *install) expectTrail(ctx context.Context, s *service.Service, t *trail.Trail) error {
	lacks, err := s.ExpectTrail(ctx, t)
	if errors.Is(err, service.ErrForgedHead) {
		lacks, err = err.Error(), nil
	}
	if lacks != "" {
		in.p.tell("rollcall: the trail is not whole: %s; run 'rollcall trail verify' on all of its files\n", lacks)
	}
	if err != nil {
		err = notBegun(err)
	}
	return err
}

// begin does the same for acts without a service: it opens the trail first. done
// writes the record, with the act's error, and returns that error joined with its
// own.
func (in *install) begin(a *act) (done func(error) error, err error) {
	t, err := in.openTrail()
	if err != nil {
		return nil, notBegun(err)
	}
	return func(failed error) error { return closed(t, ended(failed, t.Write(in.record(a, failed)))) }, nil
}

func notBegun(err error) error {
	return fmt.Errorf("%w: nothing was done, because it could not be recorded", err)
}

// ended returns the errors of an act and of its record.
func ended(failed, unrecorded error) error {
	if unrecorded != nil && failed == nil {
		return fmt.Errorf("this was carried out but could not be recorded: %w", unrecorded)
	}
	return errors.Join(failed, unrecorded)
}

// closed closes the trail. Errors of writing are known already.
func closed(t *trail.Trail, err error) error {
	if end := t.Close(); err == nil {
		return end
	}
	return err
}

// openTrail opens the trail, to which the service may be writing. Each line is one
// write at the file's end, so lines do not mix.
func (in *install) openTrail() (*trail.Trail, error) {
	to := in.trail
	switch to {
	case "":
		to = filepath.Join(in.data, "trail.jsonl")
	case "-":
		return trail.New(in.p.stderr), nil // standard output is for the result
	}
	t, err := trail.Open(to)
	if err == nil {
		t.Sync = true // a single important line
	}
	return t, err
}

// record returns the record of an act that ended with an error, nil for none.
func (in *install) record(a *act, failed error) *trail.Record {
	rec := &trail.Record{
		UserIdentity: operator(), EventTime: time.Now(), EventSource: "rollcall.operator", EventName: a.name,
		AWSRegion: "us-east-1", SourceIPAddress: "localhost", UserAgent: "rollcall/" + version(),
		RequestID: uuid.NewString(),
		ReadOnly:  a.reads, EventType: trail.OperatorAct, RecipientAccountID: a.account,
		RequestParameters: jsonOf(a.asked), AdditionalEventData: in.circumstances(),
	}
	if host, err := os.Hostname(); err == nil && host != "" {
		rec.SourceIPAddress = host
	}
	if failed == nil {
		rec.ResponseElements = jsonOf(a.made)
		return rec
	}
	rec.ErrorCode, rec.ErrorMessage = "OperatorActFailed", failed.Error()
	var known *awsmodel.Error
	if errors.As(failed, &known) {
		rec.ErrorCode = awsmodel.Exception(known.Code)
	}
	return rec
}

// operator returns the system's user who runs the command.
func operator() trail.Identity {
	id := trail.Identity{Type: trail.Operator, PrincipalID: "uid:" + strconv.Itoa(os.Getuid())}
	if u, err := user.Current(); err == nil {
		id.UserName = u.Username
	}
	return id
}

// circumstances returns facts of the environment that help to find the person
// behind root. They prove nothing.
func (in *install) circumstances() json.RawMessage {
	data := map[string]any{}
	if name := in.p.env("SUDO_USER"); name != "" {
		data["sudoUser"] = name
	}
	if from := in.p.env("SSH_CONNECTION"); from != "" {
		data["sshConnection"] = from
	}
	if len(data) == 0 {
		return nil
	}
	return jsonOf(data)
}

// jsonOf encodes members. It returns nil for none, which the trail writes as null.
func jsonOf(members map[string]any) json.RawMessage {
	if len(members) == 0 {
		return nil
	}
	text, err := json.Marshal(members)
	if err != nil {
		return nil // all members of acts can be encoded as JSON
	}
	return text
}
