# The AWS SDK for Ruby, version 1, which Debian has. It speaks to IAM by the
# scheme that it is told, and to STS by https alone.
require "aws-sdk"
require "uri"

url = URI(ENV["AWS_ENDPOINT_URL"])
settings = { iam_endpoint: url.host, iam_port: url.port, use_ssl: url.scheme == "https",
             access_key_id: ENV["AWS_ACCESS_KEY_ID"], secret_access_key: ENV["AWS_SECRET_ACCESS_KEY"], max_retries: 0 }
iam = AWS::IAM.new(settings)
user = iam.users.create("Carol", path: "/people/")
key = user.access_keys.create
user.policies["self"] = AWS::IAM::Policy.new { |p| p.allow(actions: ["iam:GetUser"], resources: "*") }
carol = AWS::IAM.new(settings.merge(access_key_id: key.id, secret_access_key: key.secret))
raise "another user" unless carol.client.get_user[:user][:user_name] == "Carol"
begin
  carol.users.create("Dave")
  raise "CreateUser was not refused"
rescue AWS::IAM::Errors::AccessDenied
end
raise "not listed" unless iam.users.map(&:name) == ["Carol"]
user.delete!
raise "not deleted" if iam.users.any?
puts "aws-sdk #{AWS::VERSION}"
