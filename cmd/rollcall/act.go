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

// act is something that an operator changes or takes out of an installation,
// as the trail tells of it. No secret belongs into it.
type act struct {
	name    string         // of the event
	account string         // "" for all
	reads   bool           // changes nothing
	asked   map[string]any // what was asked for
	made    map[string]any // what came of it
}

// addActing gives a command that acts the flags of an installation, and the
// one of the trail.
func (in *install) addActing(c *cobra.Command) {
	in.add(c)
	c.Flags().StringVar(&in.trail, "trail", "", "where this leaves a line, as every call of the service does: "+
		"a `file`, - for standard error, or off (default trail.jsonl in the data directory)")
	settings(c.Flags(), "trail")
}

// act runs fn on the installation and leaves a record of it. The context of
// the command is then the one of this act.
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

// begin is act for what has no service: it opens the trail before anything is
// done. done leaves the record, with the error that the act ended with, and
// returns that error and its own.
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

// ended says what went wrong with an act, and with its record.
func ended(failed, unrecorded error) error {
	if unrecorded != nil && failed == nil {
		return fmt.Errorf("this was carried out but could not be recorded: %w", unrecorded)
	}
	return errors.Join(failed, unrecorded)
}

// closed ends the trail. What it could not write is known already.
func closed(t *trail.Trail, err error) error {
	if end := t.Close(); err == nil {
		return end
	}
	return err
}

// openTrail opens the trail that the service writes too. Each line is one
// write at the file's end, so both may.
func (in *install) openTrail() (*trail.Trail, error) {
	to := in.trail
	switch to {
	case "":
		to = filepath.Join(in.data, "trail.jsonl")
	case "-":
		return trail.New(in.p.stderr), nil // standard output has the result
	}
	t, err := trail.Open(to)
	if err == nil {
		t.Sync = true // one line, of weight
	}
	return t, err
}

// record says who did what, and how it ended.
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
		rec.ErrorCode = known.Code
	}
	return rec
}

// operator is the user of the system that runs the command.
func operator() trail.Identity {
	id := trail.Identity{Type: trail.Operator, PrincipalID: "uid:" + strconv.Itoa(os.Getuid())}
	if u, err := user.Current(); err == nil {
		id.UserName = u.Username
	}
	return id
}

// circumstances returns facts that help to find the person behind root. They come
// from the environment and prove nothing.
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

// jsonOf is nil, which the trail writes as null, for nothing.
func jsonOf(members map[string]any) json.RawMessage {
	if len(members) == 0 {
		return nil
	}
	text, err := json.Marshal(members)
	if err != nil {
		return nil // no act has members that JSON does not know
	}
	return text
}
