import Joi from 'joi';

const days = Joi.number().integer().min(1).max(36_500).allow(null);

const members = {
  call_retention_days: days.description('Days that call logs are kept, with their timelines; null: for ever.'),
  event_retention_days: days.description('Days that events can be read again; null: as the installation is set.'),
  webhook_retention_days: days.description('Days that webhooks are kept; null: as the installation is set.'),
};

export const retentionChanges = Joi.object(members);

export const retentionAnswer = Joi.object({
  ...members,
  installation: Joi.object({
    event_retention_seconds: Joi.number().integer(),
    webhook_retention_seconds: Joi.number().integer(),
  }).description('What stands where the account says nothing.'),
});
