package store

import (
	"errors"
	"fmt"
	"time"
)

// AccessJob is the result of GenerateServiceLastAccessedDetails.
type AccessJob struct {
	Account string
	ID      string
	ARN     string // the ARN of the user, group, role or policy
	Created time.Time
	Result  []byte
}

// accessPart is the number of bytes of a result in one row, so that a page of a
// long result reads little more than it shows. The first row has the job's id;
// the following ones have a number after it.
const accessPart = 64 << 10

func accessRow(id string, part int) string {
	if part == 0 {
		return id
	}
	return fmt.Sprintf("%s/%06d", id, part)
}

// InsertAccessJob stores a result, or fails with ErrExists.
func (tx *Tx) InsertAccessJob(j AccessJob) error {
	tx.made(j.ID)
	for part, rest := 0, j.Result; part == 0 || len(rest) > 0; part++ {
		n := min(len(rest), accessPart)
		err := tx.insert(`INSERT INTO access_jobs (account, job_id, arn, created, result) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT DO NOTHING`, j.Account, accessRow(j.ID, part), j.ARN, j.Created, rest[:n])
		if err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// AccessJob reads a job by its id, with up to n bytes of its result from one
// on, the first of which is 0. Beyond the end of a result it finds nothing.
func (tx *Tx) AccessJob(account, id string, from, n int) (j AccessJob, err error) {
	part, skip := from/accessPart, from%accessPart
	var result []byte
	for rows := 0; rows == 0 || len(result) < skip+n; rows++ {
		var row AccessJob
		err := tx.one([]any{&row.Account, &row.ARN, &row.Created, &row.Result},
			`SELECT account, arn, created, result FROM access_jobs WHERE account = $1 AND job_id = $2`,
			account, accessRow(id, part+rows))
		if rows > 0 && errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return j, err
		}
		j = row
		if result = append(result, row.Result...); len(row.Result) < accessPart {
			break
		}
	}
	j.ID, j.Result = id, result[min(skip, len(result)):min(skip+n, len(result))]
	return j, nil
}

// TrimAccessJobs deletes the results of an account except the newest: at most
// as many as keep says, with at most that many bytes together. The newest of
// all stays.
func (tx *Tx) TrimAccessJobs(account string, keep, bytes int) error {
	const job = `CASE WHEN job_id LIKE '%/______' THEN substr(job_id, 1, length(job_id) - 7) ELSE job_id END`
	_, err := tx.exec(`DELETE FROM access_jobs WHERE account = $1 AND `+job+` NOT IN (
		SELECT job FROM (
			SELECT job, row_number() OVER w AS place, sum(bytes) OVER w AS total FROM (
				SELECT `+job+` AS job, max(created) AS made, sum(length(result)) AS bytes FROM access_jobs
				WHERE account = $1 AND created <= $2 GROUP BY `+job+`
			) AS jobs WINDOW w AS (ORDER BY made DESC, job)
		) AS newest WHERE place = 1 OR place <= $3 AND total <= $4)`,
		account, tx.Now.Add(ClockSkew), keep, bytes)
	return err
}

// EntitiesByID reads the existing users or roles with some unique ids, in no
// order.
func (tx *Tx) EntitiesByID(of Entity, account string, ids ...string) ([]PolicyEntity, error) {
	table, ok := entityTables[of]
	if !ok || len(ids) == 0 {
		return nil, nil
	}
	args := padded([]any{account}, ids)
	return list(tx, func(e *PolicyEntity) []any { return []any{&e.NameKey, &e.Name, &e.Path, &e.ID} },
		`SELECT name_key, name, path, `+table[1]+` FROM `+table[0]+`
		WHERE account = $1 AND `+table[1]+` IN (`+places(2, len(args)-1)+`)`, args...)
}
