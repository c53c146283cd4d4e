// What each published model needs beside its endpoint: the endpoint's right to read models, its logs, and the rules that alert on it.
// Deployed after `upkeep publish`, by the hook of azure.yaml, the pipelines, or by hand:
//   az deployment group create --resource-group GROUP --template-file infra/models.bicep --parameters token=TOKEN
// Why not in main.bicep: the key of the function `alerts` exists only when the code is there, and the endpoints when they are
// published. They are not declared here either: a deployment would put them without their traffic, and take the live model off.

import { namesOf } from 'modules/names.bicep'
import { ModelWatch } from 'modules/watch.bicep'

@description('The output UPKEEP_TOKEN of main.bicep: what the names end in.')
param token string

@description('Region of the rules: that of the logs.')
param location string = resourceGroup().location

@description('The models that are watched, with the limits of their rules; the rules are named as `alerts` in upkeep.yaml names them. The hook gives one for each folder of models/; by hand it is those of models.json.')
param models ModelWatch[] = loadJsonContent('models.json')

@description('Addresses of people who are told of slow answers, separated by commas. Empty: nobody.')
param emails string = ''

@description('Client id of the Entra app that guards the alerts (hooks/secure_webhook.py makes it). Empty: the function key alone does.')
param alertsAppId string = ''

@description('Object id of that application; not that of its enterprise application.')
param alertsObjectId string = ''

@description('Name of the Azure ML registry that the models are taken from. Empty: none is.')
param sharedRegistryName string = ''

@description('Resource group of that registry, in this subscription.')
param sharedRegistryGroup string = ''

var names = namesOf(token)
var tags = resourceGroup().tags ?? {}
// As `upkeep publish` names them (shared/domain/names.py): an endpoint's name is unique in its region, whoever's it is.
var watched = [for each in models: union(each, { endpoint: '${each.endpoint}-${token}' })]

module webhook 'modules/action-group.bicep' = {
  name: 'action-group'
  params: {
    appName: names.app
    token: token
    tags: tags
    emails: emails
    alertsAppId: alertsAppId
    alertsObjectId: alertsObjectId
  }
}

module guard 'modules/alerts-auth.bicep' = if (!empty(alertsAppId)) {
  name: 'alerts-auth'
  params: {
    appName: names.app
    alertsAppId: alertsAppId
  }
}

module rules 'modules/alert-rules.bicep' = [for each in watched: {
  name: 'alert-rules-${each.name}'
  params: {
    location: location
    tags: tags
    names: names
    model: each
    webhookId: webhook.outputs.id
  }
}]

module endpoint 'modules/endpoint.bicep' = [for each in watched: {
  name: 'endpoint-${each.endpoint}'
  params: {
    tags: tags
    names: names
    model: each
    peopleId: empty(emails) ? '' : webhook.outputs.peopleId
    sharedRegistryName: sharedRegistryName
    sharedRegistryGroup: sharedRegistryGroup
  }
}]
