// SPDX-License-Identifier: MIT
#include "completion.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swapmq::host {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;
using Kind = Completion::Kind;

std::vector<std::string> words(const std::vector<std::string>& typed) {
  std::vector<std::string> texts;
  for (const Completion::Word& word : complete(typed).words) texts.push_back(word.text);
  return texts;
}

TEST(Completion, Commands) {
  EXPECT_THAT(words({""}), Contains("publish"));
  EXPECT_THAT(words({""}), Not(Contains("__complete")));
  EXPECT_THAT(words({"queue", ""}), Contains("redrive"));
  EXPECT_THAT(words({"--quiet", "queue", ""}), Contains("stats"));
  EXPECT_THAT(words({"--config", "publish", "queue", ""}), Contains("stats"))
      << "the value of an option is no command";
  EXPECT_THAT(words({"help", "queue", ""}), Contains("stats"));
  EXPECT_THAT(words({}), IsEmpty());
}

TEST(Completion, CommandsAreDescribedInALine) {
  for (const Completion::Word& word : complete({""}).words) {
    EXPECT_FALSE(word.description.empty()) << word.text;
    EXPECT_EQ(word.description.find('\n'), std::string::npos) << word.text;
  }
}

TEST(Completion, Options) {
  EXPECT_THAT(words({"publish", "q", "--"}), Contains("--ndjson"));
  EXPECT_THAT(words({"publish", "q", "-"}), Contains("--config"));
  EXPECT_THAT(words({"publish", "q", "--"}), Not(Contains("--idle-exit")));
  EXPECT_THAT(words({"queue", "stats", "--", "--"}), IsEmpty()) << "after -- there are names";
}

TEST(Completion, Values) {
  EXPECT_EQ(complete({"publish", "-c", ""}).kind, Kind::files);
  EXPECT_EQ(complete({"status", "--state-dir", "/v"}).kind, Kind::folders);
  EXPECT_EQ(complete({"publish", "q", "--reply-to", ""}).kind, Kind::queues);
  EXPECT_THAT(words({"switch", "--policy", ""}), ElementsAre("drain", "transfer", "leave"));
  EXPECT_THAT(words({"ping", "--log-level", ""}), Contains("debug"));
  EXPECT_THAT(words({"publish", "q", "--batch", ""}), IsEmpty());
  EXPECT_EQ(complete({"publish", "q", "--batch", ""}).kind, Kind::words);
  EXPECT_THAT(words({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
}

TEST(Completion, ValuesAfterAnEqualsSign) {
  const Completion policy = complete({"switch", "--order=st"});
  EXPECT_EQ(policy.before, "--order=");
  EXPECT_EQ(policy.typed, "st");
  EXPECT_EQ(policy.words.size(), 2u);
  EXPECT_EQ(complete({"ping", "--config=sw"}).kind, Kind::files);
  EXPECT_EQ(complete({"ping", "--quiet="}).kind, Kind::words) << "it takes none";
}

TEST(Completion, Arguments) {
  EXPECT_EQ(complete({"publish", ""}).kind, Kind::queues);
  EXPECT_EQ(complete({"publish", "q", ""}).kind, Kind::files);
  EXPECT_EQ(complete({"publish", "q", "f", ""}).kind, Kind::words) << "there is no third one";
  EXPECT_EQ(complete({"queue", "stats", "a", "b", "c"}).kind, Kind::queues) << "as many as wanted";
  EXPECT_EQ(complete({"queue", "redrive", ""}).kind, Kind::queues);
  EXPECT_EQ(complete({"config", "explain", ""}).kind, Kind::config_keys);
  EXPECT_EQ(complete({"config", "check", ""}).kind, Kind::files);
  EXPECT_EQ(complete({"plugin", "show", ""}).kind, Kind::plugins);
  EXPECT_EQ(complete({"switch", ""}).kind, Kind::sections);
  EXPECT_EQ(complete({"forget", ""}).kind, Kind::backends);
}

TEST(Completion, KnowsWhatWasTypedOfTheConfiguration) {
  const Completion found = complete({"consume", "--config=a.json", "--set", "log.level=off",
                                     "--watch", "--set=message_queue.type=memory", ""});
  EXPECT_EQ(found.common.config, "a.json");
  ASSERT_EQ(found.common.overrides.size(), 2u);
  EXPECT_EQ(found.common.overrides[1].value, "memory");
  EXPECT_EQ(complete({"consume", "-ca.json", ""}).common.config, "a.json");
  EXPECT_EQ(complete({"forget", "--state-dir", "/var/x", ""}).state_dir, "/var/x");
}

} // namespace
} // namespace swapmq::host
