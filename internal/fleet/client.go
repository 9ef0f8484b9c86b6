package fleet

import "github.com/aws/aws-sdk-go-v2/service/iam"

// IAM is the client the account is reached with, for what else there is to ask
// of it.
func (a *Account) IAM() *iam.Client { return a.iam }
