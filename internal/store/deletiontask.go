package store

import "time"

// DeletionTask is the requested deletion of a service-linked role.
type DeletionTask struct {
	Account string
	ID      string
	Created time.Time
	Status  string // in the words of GetServiceLinkedRoleDeletionStatus
}

// InsertDeletionTask adds a task.
func (tx *Tx) InsertDeletionTask(t DeletionTask) error {
	tx.made(t.ID)
	return tx.insert(
		`INSERT INTO deletion_tasks (account, task_id, created, status) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		t.Account, t.ID, t.Created, t.Status)
}

// DeletionTask reads a task, or returns ErrNotFound.
func (tx *Tx) DeletionTask(account, id string) (t DeletionTask, err error) {
	err = tx.one([]any{&t.Account, &t.ID, &t.Created, &t.Status},
		`SELECT account, task_id, created, status FROM deletion_tasks WHERE account = $1 AND task_id = $2`, account, id)
	return t, err
}
