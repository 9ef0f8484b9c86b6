package store

import "time"

// DeletionTask is the deletion of a service-linked role that was asked for.
type DeletionTask struct {
	Account string
	ID      string
	Created time.Time
	Status  string // as GetServiceLinkedRoleDeletionStatus says it
}

// InsertDeletionTask adds a task, and forgets those of the account that were
// added before a time, or that a clock dated which has stepped back since.
func (tx *Tx) InsertDeletionTask(t DeletionTask, forgetBefore time.Time) error {
	if _, err := tx.exec(`DELETE FROM deletion_tasks WHERE account = $1 AND (created < $2 OR created > $3)`,
		t.Account, forgetBefore, t.Created.Add(ClockSkew)); err != nil {
		return err
	}
	return tx.insert(`INSERT INTO deletion_tasks (account, task_id, created, status) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		t.Account, t.ID, t.Created, t.Status)
}

// DeletionTask reads a task, or gives ErrNotFound.
func (tx *Tx) DeletionTask(account, id string) (t DeletionTask, err error) {
	err = tx.one([]any{&t.Account, &t.ID, &t.Created, &t.Status},
		`SELECT account, task_id, created, status FROM deletion_tasks WHERE account = $1 AND task_id = $2`, account, id)
	return t, err
}
