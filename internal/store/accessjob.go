package store

import "time"

// AccessJob is what GenerateServiceLastAccessedDetails found.
type AccessJob struct {
	Account string
	ID      string
	ARN     string // of the user, group, role or policy it was asked of
	Created time.Time
	Result  []byte
}

// InsertAccessJob keeps a result, or fails with ErrExists.
func (tx *Tx) InsertAccessJob(j AccessJob) error {
	tx.made(j.ID)
	return tx.insert(`INSERT INTO access_jobs (account, job_id, arn, created, result) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
		j.Account, j.ID, j.ARN, j.Created, j.Result)
}

// AccessJob reads a result by its id.
func (tx *Tx) AccessJob(account, id string) (j AccessJob, err error) {
	err = tx.one([]any{&j.Account, &j.ID, &j.ARN, &j.Created, &j.Result},
		`SELECT account, job_id, arn, created, result FROM access_jobs WHERE account = $1 AND job_id = $2`, account, id)
	return j, err
}

// TrimAccessJobs forgets all results of an account but the newest.
func (tx *Tx) TrimAccessJobs(account string, keep int) error {
	_, err := tx.exec(`DELETE FROM access_jobs WHERE account = $1 AND job_id NOT IN
		(SELECT job_id FROM access_jobs WHERE account = $1 AND created <= $2 ORDER BY created DESC, job_id LIMIT $3)`,
		account, tx.Now.Add(ClockSkew), keep)
	return err
}
