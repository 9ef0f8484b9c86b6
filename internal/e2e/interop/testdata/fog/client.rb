# fog, which Ruby programs for several clouds use.
require "fog/aws"
require "uri"

url = URI(ENV["AWS_ENDPOINT_URL"])
settings = { provider: "AWS", host: url.host, port: url.port, scheme: url.scheme,
             aws_access_key_id: ENV["AWS_ACCESS_KEY_ID"], aws_secret_access_key: ENV["AWS_SECRET_ACCESS_KEY"] }
iam = Fog::AWS::IAM.new(settings.reject { |name, _| name == :provider })
carol = iam.users.create(id: "Carol", path: "/people/")
key = carol.access_keys.create
raise "no key" if key.id.to_s.empty? || key.secret_access_key.to_s.empty?
raise "not listed" unless iam.users.map(&:id) == ["Carol"]
begin
  iam.create_user("carol")
  raise "a second user of the name"
rescue Fog::AWS::IAM::EntityAlreadyExists
end
key.destroy
carol.destroy
raise "not deleted" if iam.users.any?
puts "fog-aws #{Fog::AWS::VERSION}"
