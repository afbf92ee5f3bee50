// SPDX-License-Identifier: MIT
//
// What a config takes from outside of its file: variables, overrides, files with secrets, the
// folder that its paths begin in.
#include "config/environment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>

#include "../../support/temporary_folder.hpp"
#include "fake_schemas.h"

namespace swapmq::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ConfigEnvironment : public testing::Test {
 protected:
  ConfigEnvironment() {
    plugins_.install("net", R"({ "type": "object", "additionalProperties": false, "properties": {
        "port": { "type": "integer", "minimum": 1, "maximum": 65535 },
        "ratio": { "type": "number" },
        "verify": { "type": "boolean" },
        "password": { "type": "string" },
        "user": { "type": "string" },
        "ca_file": { "type": "string", "minLength": 1, "x-swapmq-path": true },
        "count": { "type": "integer", "allOf": [ { "minimum": 1 } ], "not": { "enum": [ 7 ] } },
        "either": { "anyOf": [ { "type": "string", "pattern": "^x" }, { "type": "integer" } ] } } })");
    environment_.variable = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = variables_.find(name);
      if (found == variables_.end()) return std::nullopt;
      return found->second;
    };
  }

  Parsed read(const std::string& json) {
    return parse(json, "swapmq.json", plugins_.lookup(), environment_);
  }
  /// The options of a backend "net" whose section that is.
  std::string net(const std::string& section) {
    Parsed parsed = read(R"({"message_queue":{"type":"net","net":)" + section + "}}");
    EXPECT_THAT(lines_of(parsed.errors), IsEmpty()) << section;
    shown_ = parsed.shown;
    return parsed.config ? parsed.config->options_of("net") : std::string();
  }
  std::vector<std::string> net_errors(const std::string& section) {
    return lines_of(read(R"({"message_queue":{"type":"net","net":)" + section + "}}").errors);
  }
  void set(const std::string& key, const std::string& value) {
    environment_.overrides.push_back(override_by_key(key, value).value());
  }
  void set_variable(const std::string& name, const std::string& value) {
    environment_.overrides.push_back(override_by_variable(name, value));
  }

  FakePlugins plugins_;
  std::map<std::string, std::string> variables_{
      {"PORT", "6380"}, {"RATIO", "0.5"}, {"YES", "true"}, {"WORD", "a \"b\""}, {"EMPTY", ""}};
  Environment environment_;
  std::string shown_;
};

TEST_F(ConfigEnvironment, VariablesStandInStrings) {
  EXPECT_EQ(net(R"({"user":"<${WORD}>${PORT}","password":"${NONE:-x:y}${EMPTY:-z}${EMPTY}"})"),
            R"({"user":"<a \"b\">6380","password":"x:yz"})");
}

TEST_F(ConfigEnvironment, NumbersAndBooleansStandWhereTheyAreWanted) {
  EXPECT_EQ(net(R"({"port":"${PORT}","ratio":"${RATIO}","verify":"${YES}","user":"${PORT}"})"),
            R"({"port":6380,"ratio":0.5,"verify":true,"user":"6380"})");
  EXPECT_EQ(net(R"({"port":"${NONE:-80}","ratio":"${PORT}"})"), R"({"port":80,"ratio":6380})");
  EXPECT_EQ(net(R"({"port":"6${EMPTY}9"})"), R"({"port":69})");
  EXPECT_EQ(net(R"({"either":"${PORT}"})"), R"({"either":6380})");
  EXPECT_EQ(net(R"({"count":"${PORT}"})"), R"({"count":6380})") << "schemas without a type";
}

TEST_F(ConfigEnvironment, WhatDoesNotFitIsAnErrorAtItsPlace) {
  EXPECT_THAT(net_errors(R"({"port":"${WORD}"})"),
              ElementsAre(HasSubstr(R"(1:46: /message_queue/net/port: expected an integer, got)")));
  EXPECT_THAT(net_errors(R"({"port":"6380"})"), ElementsAre(HasSubstr("expected an integer")))
      << "only what comes from a variable is taken for a number";
  variables_["PORT"] = "70000";
  EXPECT_THAT(net_errors(R"({"port":"${PORT}"})"), ElementsAre(HasSubstr("70000")));
  variables_["PORT"] = "0";
  EXPECT_THAT(net_errors(R"({"count":"${PORT}"})"), ElementsAre(HasSubstr("/count: ")));
  variables_["PORT"] = " 80";
  EXPECT_THAT(net_errors(R"({"port":"${PORT}"})"), ElementsAre(HasSubstr("expected an integer")));
}

TEST_F(ConfigEnvironment, WhatCannotBeSubstitutedIsSaid) {
  EXPECT_THAT(
      net_errors(R"({"user":"${NONE}","password":"${","ca_file":"${A B}"})"),
      ElementsAre("1:46: /message_queue/net/user: the environment has no variable NONE; set "
                  "it, or write ${NONE:-default}",
                  HasSubstr(R"(/password: "${" without its "}"; for the characters)"),
                  HasSubstr(R"(/ca_file: "A B" between "${" and "}" is not the name)")));
  variables_["BAD"] = "\xff";
  EXPECT_THAT(net_errors(R"({"user":"${BAD}"})"), ElementsAre(HasSubstr("is not UTF-8")));
  variables_["HUGE"] = std::string(700'000, 'x');
  EXPECT_THAT(net_errors(R"({"user":"${HUGE}${HUGE}"})"), ElementsAre(HasSubstr("too large")));
}

TEST_F(ConfigEnvironment, TwoDollarsAreOne) {
  EXPECT_EQ(net(R"({"user":"$${PORT} $PORT $$ ${PORT}"})"), R"({"user":"${PORT} $PORT $$ 6380"})");
}

TEST_F(ConfigEnvironment, WhatASecretsVariableHoldsIsNeverShown) {
  variables_["DB_PASSWORD"] = "hunter2";
  EXPECT_EQ(net(R"({"user":"${DB_PASSWORD}"})"), R"({"user":"hunter2"})");
  EXPECT_THAT(shown_, Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown_, HasSubstr(R"("user": "***")"));
  EXPECT_THAT(net_errors(R"({"port":"${DB_PASSWORD}"})"),
              ElementsAre(testing::EndsWith("expected an integer, got a string")));
}

TEST_F(ConfigEnvironment, OverridesReplaceAndAdd) {
  set_variable("message_queue__type", "memory");
  set_variable("message_queue__memory__max_bytes", "2097152");
  set("log.level", "debug");
  set("/queues/a.b~1c/max_length", "7");
  set("plugin_path", R"(["/one","/two"])");
  const Config config =
      read(R"({"message_queue":{"type":"net"},"log":{"level":"off"}})").config.value();
  EXPECT_EQ(config.type, "memory");
  EXPECT_EQ(config.options_of("memory"), R"({"max_bytes":2097152})");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.queue("a.b/c").max_length, 7U);
  EXPECT_THAT(config.plugin_path, ElementsAre("/one", "/two"));
}

TEST_F(ConfigEnvironment, TheLastOverrideWins) {
  set_variable("message_queue__max_retries", "5");
  set("message_queue.max_retries", "6");
  EXPECT_EQ(read(R"({"message_queue":{"type":"memory"}})").config.value().max_retries, 6U);
}

TEST_F(ConfigEnvironment, ErrorsOfOverridesNameThem) {
  const auto first = [this](const std::string& json) {
    const auto errors = read(json).errors;
    return errors.empty() ? std::string("none") : errors.front().to_string();
  };
  set_variable("message_queue__max_retries", "many");
  EXPECT_EQ(first(R"({"message_queue":{"type":"memory"}})"),
            "environment variable SWAPMQ_SET__message_queue__max_retries: "
            "/message_queue/max_retries: expected an integer, got the string \"many\"");
  environment_.overrides.clear();
  set("message_queue.typ", "x");
  EXPECT_EQ(first(R"({"message_queue":{"type":"memory"}})"),
            "--set message_queue.typ: /message_queue/typ: unknown key \"typ\"; did you mean "
            "\"type\"?");
  environment_.overrides.clear();
  set("message_queue.type.x", "x");
  EXPECT_THAT(first(R"({"message_queue":{"type":"memory"}})"), HasSubstr("is not an object"));
  environment_.overrides.clear();
  set("log", "{\"level\":");
  EXPECT_THAT(first(R"({"message_queue":{"type":"memory"}})"), HasSubstr("begins as JSON does"));
  environment_.overrides.clear();
  set_variable("log____level", "x");
  EXPECT_THAT(first(R"({"message_queue":{"type":"memory"}})"), HasSubstr("names no key"));
  EXPECT_EQ(override_by_key("a..b", "x").error().code(), Errc::config);
}

TEST_F(ConfigEnvironment, ThoseOfTheProcess) {
  // NOLINTBEGIN(concurrency-mt-unsafe): no other thread runs
  ::setenv("SWAPMQ_SET__log__level", "info=x", 1);
  ::setenv("SWAPMQ_TEST_VARIABLE", "here", 1);
  const Environment environment = process_environment();
  ::unsetenv("SWAPMQ_SET__log__level");
  // NOLINTEND(concurrency-mt-unsafe)
  ASSERT_EQ(environment.overrides.size(), 1U);
  EXPECT_THAT(environment.overrides[0].path, ElementsAre("log", "level"));
  EXPECT_EQ(environment.overrides[0].value, "info=x");
  EXPECT_EQ(environment.variable("SWAPMQ_TEST_VARIABLE"), "here");
  EXPECT_EQ(environment.variable("SWAPMQ_NO_SUCH_VARIABLE"), std::nullopt);
}

class ConfigFolder : public ConfigEnvironment {
 protected:
  ConfigFolder() { environment_.folder = folder_; }
  void write(const std::string& name, const std::string& text) const {
    temporary_.write(name, text);
  }

  const test::TemporaryFolder temporary_;
  const std::string folder_ = temporary_.path();
};

TEST_F(ConfigFolder, ASecretComesFromAFileAndIsNeverShown) {
  write("password", "hun\"ter2\r\n");
  EXPECT_EQ(
      net(R"({"password":{"file":"password"},"user":{"file":")" + folder_ + R"(/password"}})"),
      R"({"password":"hun\"ter2","user":"hun\"ter2"})");
  EXPECT_THAT(shown_, Not(HasSubstr("ter2")));
  EXPECT_THAT(shown_, HasSubstr(R"("file": ")" + folder_ + R"(/password")"));
}

TEST_F(ConfigFolder, AFileThatHoldsNoSecretIsSaid) {
  write("empty", "\n");
  write("nul", std::string("a\0b", 3));
  write("large", std::string(65537, 'x'));
  write("binary", "\xff");
  EXPECT_THAT(net_errors(R"({"password":{"file":"none"},"user":{"file":"empty"}})"),
              ElementsAre("1:50: /message_queue/net/password: the file \"" + folder_ +
                              "/none\" cannot be found: No such file or directory",
                          HasSubstr("/empty\" is empty")));
  EXPECT_THAT(net_errors(R"({"password":{"file":"."}})"), ElementsAre(HasSubstr("is a directory")));
  EXPECT_THAT(net_errors(R"({"password":{"file":"nul"}})"), ElementsAre(HasSubstr("NUL")));
  EXPECT_THAT(net_errors(R"({"password":{"file":"large"}})"), ElementsAre(HasSubstr("too large")));
  EXPECT_THAT(net_errors(R"({"password":{"file":"binary"}})"), ElementsAre(HasSubstr("UTF-8")));
  EXPECT_THAT(net_errors(R"({"port":{"file":"nul"}})"),
              ElementsAre(HasSubstr("expected an integer, got an object")));
}

TEST_F(ConfigFolder, RelativePathsBeginThere) {
  EXPECT_EQ(net(R"({"ca_file":"./tls/ca.pem"})"), R"({"ca_file":")" + folder_ + R"(/tls/ca.pem"})");
  EXPECT_EQ(net(R"({"ca_file":"/etc/ca.pem"})"), R"({"ca_file":"/etc/ca.pem"})");
  const Config config = read(R"({"message_queue":{"type":"memory"},"state_dir":"state",
      "plugin_path":["a","../b","/c"],"log":{"file":"x.log"}})")
                            .config.value();
  const std::string parent = std::filesystem::path(folder_).parent_path();
  EXPECT_EQ(config.state_dir, folder_ + "/state");
  EXPECT_EQ(config.log_file, folder_ + "/x.log");
  EXPECT_THAT(config.plugin_path, ElementsAre(folder_ + "/a", parent + "/b", "/c"));
  EXPECT_EQ(read(R"({"message_queue":{"type":"memory"},"state_dir":""})").config->state_dir, "")
      << "none is not the folder itself";
  environment_.folder.clear();
  EXPECT_EQ(net(R"({"ca_file":"./tls/ca.pem"})"), R"({"ca_file":"./tls/ca.pem"})");
}

TEST_F(ConfigEnvironment, AUrlAloneNamesTheBackend) {
  const auto config = [this](const std::string& inside) {
    Parsed parsed = read(R"({"message_queue":{)" + inside + "}}");
    EXPECT_THAT(lines_of(parsed.errors), IsEmpty()) << inside;
    return parsed.config.value_or(Config{});
  };
  Config redis = config(R"("url":"redis://here:1/2")");
  EXPECT_EQ(redis.type, "redis_stream");
  EXPECT_EQ(redis.options_of("redis_stream"), R"({"url":"redis://here:1/2"})");
  EXPECT_EQ(config(R"("url":"sqlite:///var/q.db")").options_of("sqlite"),
            R"({"path":"/var/q.db"})");
  EXPECT_EQ(config(R"("url":"sqlite:q.db","sqlite":{"synchronous":"OFF"})").options_of("sqlite"),
            R"({"synchronous":"OFF","path":"q.db"})");
  EXPECT_EQ(config(R"("url":"memory:")").options_of("memory"), "{}");
  const Config both = config(R"("type":"memory","url":"${URL:-redis://there}")");
  EXPECT_EQ(both.type, "memory");
  EXPECT_EQ(both.options_of("redis_stream"), R"({"url":"redis://there"})");
}

TEST_F(ConfigEnvironment, AUrlThatNamesNoneOrOneTooManyIsSaid) {
  const auto errors = [this](const std::string& inside) {
    return lines_of(read(R"({"message_queue":{)" + inside + "}}").errors);
  };
  EXPECT_THAT(errors(R"("url":"here:1")"), ElementsAre(HasSubstr("no plugin \"here\"")));
  EXPECT_THAT(errors(R"("url":"nowhere")"),
              testing::Contains(HasSubstr("/url: it names no backend; a URL begins as redis://")));
  EXPECT_THAT(errors(R"("url":"redis://a","redis_stream":{"url":"redis://b"})"),
              ElementsAre(HasSubstr(R"(the section "redis_stream" has a "url" as well)")));
}

TEST_F(ConfigEnvironment, QueuesAreNamedByRoleToo) {
  const Config config = read(R"({"message_queue":{"type":"memory","task_queue":"jobs"},"queues":{
      "@task":{"max_deliveries":9,"dead_letter_queue":"@status"}}})")
                            .config.value();
  EXPECT_EQ(config.queue_name("@task"), "jobs");
  EXPECT_EQ(config.queue_name("@heartbeat"), "heartbeats");
  EXPECT_EQ(config.queue_name("@nobody"), "@nobody");
  EXPECT_EQ(config.queue_name("task"), "task");
  EXPECT_EQ(config.queue("jobs").max_deliveries, 9U);
  EXPECT_EQ(config.queue("jobs").dead_letter_queue, "status_updates");
}

TEST_F(ConfigEnvironment, RolesThatAreNoneOrListedTwiceAreSaid) {
  EXPECT_THAT(lines_of(read(R"({"message_queue":{"type":"memory","task_queue":"@task"},
      "queues":{"@tsak":{},"status_updates":{},"@status":{"dead_letter_queue":"status_updates"}}})")
                           .errors),
              ElementsAre(HasSubstr(R"(/task_queue: queue name "@task" begins with "@", as only)"),
                          HasSubstr(R"(/queues/@tsak: queue name "@tsak" begins with)"),
                          HasSubstr(R"(/queues/@status: "@status" is the queue "status_updates")"),
                          HasSubstr("cannot be its own dead-letter queue")));
}

} // namespace
} // namespace swapmq::config
