"""What a campaign is compared with: another campaign, yesterday, the same weekday."""
