// The AWS SDK for JavaScript, version 3.
import assert from "node:assert/strict";
import * as iam from "@aws-sdk/client-iam";
import * as sts from "@aws-sdk/client-sts";

const root = new iam.IAMClient({});
const send = (command, client = root) => client.send(command);

const { Account } = await new sts.STSClient({}).send(new sts.GetCallerIdentityCommand({}));
await send(new iam.CreateUserCommand({ UserName: "Carol", Path: "/people/", Tags: [{ Key: "team", Value: "säkerhet" }] }));
const { AccessKey } = await send(new iam.CreateAccessKeyCommand({ UserName: "Carol" }));
const carol = new iam.IAMClient({
  credentials: { accessKeyId: AccessKey.AccessKeyId, secretAccessKey: AccessKey.SecretAccessKey },
});
await assert.rejects(send(new iam.ListUsersCommand({}), carol), { name: "AccessDenied" });
await assert.rejects(send(new iam.GetUserCommand({ UserName: "Dave" })), { name: "NoSuchEntityException" });
const { User } = await send(new iam.GetUserCommand({ UserName: "carol" }));
assert.equal(User.Arn, `arn:aws:iam::${Account}:user/people/Carol`);
assert.deepEqual(User.Tags, [{ Key: "team", Value: "säkerhet" }]);
assert.ok(Date.now() - User.CreateDate < 600_000);

let pages = 0;
for await (const page of iam.paginateListPolicies({ client: root, pageSize: 500 }, { Scope: "AWS" })) pages++;
assert.ok(pages > 2, `${pages} pages of AWS's policies`);

let report;
for (let i = 0; !report && i < 100; i++) {
  await send(new iam.GenerateCredentialReportCommand({}));
  report = await send(new iam.GetCredentialReportCommand({})).catch((error) => {
    assert.match(error.name, /^CredentialReportNot(Ready|Present)Exception$/);
  });
}
assert.match(new TextDecoder().decode(report.Content), /^Carol,arn:aws:iam::/m);
await send(new iam.DeleteAccessKeyCommand({ UserName: "Carol", AccessKeyId: AccessKey.AccessKeyId }));
await send(new iam.DeleteUserCommand({ UserName: "Carol" }));
