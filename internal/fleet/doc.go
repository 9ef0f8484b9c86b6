// Package fleet gets credential reports from AWS, or from anything that speaks
// its IAM API, with the credentials and settings that AWS's own tools use.
//
// It promises:
//
//   - The environment, profiles, roles and processes work as in the AWS CLI.
//     Without a region, us-east-1 is meant.
//
//   - With an endpoint configured, no other host hears of the credentials:
//     roles are assumed there too, and redirects are not followed. The SDK
//     alone would send AssumeRole to AWS.
//
//   - The bytes of a report are those the service sent.
//
//   - Waiting is polite and bounded: one request for a report, then a look at
//     growing intervals, never a loop of requests. A report that is older than
//     asked for is never passed off as fresh; see Source.
//
//   - Of many accounts (see Run), each by itself ends with a recorded outcome;
//     none is left out, and none of them makes another one fail. Roles are
//     assumed with the caller's own credentials only, for sessions that can
//     get reports and nothing else.
//
//   - Nothing secret is kept but sessions that took an MFA code, for the user
//     alone and until they expire; see Settings.Sessions.
//
// It refuses to talk plain HTTP to another machine unless asked to, and to
// keep as an account's report what is another's or none. What a report says is
// the matter of package report; where reports are kept, of package history.
//
// A report is held in memory as a whole, and the SDK needs about six times its
// size for a moment to take it out of the answer. That matters from some
// hundred thousand users on.
package fleet
