// Everything of Upkeep that can be declared before its code is there. Deployed by `azd provision`, or by hand:
//   az deployment sub create --location REGION --template-file infra/main.bicep --parameters infra/environments/dev.parameters.json
// What belongs to a published model (its alert rules, the rights of its endpoint) is models.bicep, deployed after `upkeep publish`.
targetScope = 'subscription'

import { sizes } from 'modules/sizes.bicep'
import { namesOf } from 'modules/names.bicep'

@description('Name of this deployment, in every name and tag: one for each of dev, test and prod.')
@minLength(2)
@maxLength(20)
param environmentName string

@description('Region. Needs Flex Consumption and quota for the compute cluster.')
param location string

@description('Which of the environments of upkeep.yaml is published here, and how large things are (modules/sizes.bicep).')
@allowed([
  'dev'
  'test'
  'prod'
])
param stage string = 'dev'

@description('Object id of who deploys and publishes: a person, or the service principal of the pipeline. Empty: nobody is given a role.')
param principalId string = ''

@description('What principalId is.')
@allowed([
  'User'
  'Group'
  'ServicePrincipal'
])
param principalType string = 'User'

@description('Object id of the Entra group that may put files into the landing container. Empty: nobody but the deployer.')
param uploadersGroupId string = ''

@description('Addresses of people who are told about trouble and costs, separated by commas. Empty: nobody.')
param emails string = ''

@description('Client id of the Entra app that guards the alerts (hooks/secure_webhook.py makes it). Empty: the function key alone does.')
param alertsAppId string = ''

@description('Object id of that application; not that of its enterprise application.')
param alertsObjectId string = ''

@description('Close storage, vault, registry and workspace to the internet and reach them by private endpoints.')
param privateNetwork bool = false

@description('IPv4 ranges that may call the app and deploy to it when the network is private, /32 for one address, separated by commas. Azure Monitor always may.')
param callerRanges string = ''

@description('Spread the app over the zones of the region. Not every region with Flex Consumption can.')
param zoneRedundant bool = false

@description('Size of the nodes that train; job.yml names the cluster cpu-cluster.')
param trainingVmSize string = 'Standard_DS3_v2'

@description('Name of an Azure ML registry to make, for assets shared between workspaces. Empty: none.')
param registryName string = ''

@description('Name of an existing Azure ML registry by which models are shared or taken (docs/guide/promotion.md). Empty: none.')
param sharedRegistryName string = ''

@description('Resource group of that registry, in this subscription.')
param sharedRegistryGroup string = ''

@description('Monthly budget of the resource group in the currency of the bill. 0: none.')
@minValue(0)
param budgetAmount int = 0

@description('First day of the month in which the budget was made, as 2026-01-01: it can never change. Empty: no budget.')
param budgetStartDate string = ''

@description('When the app looks for what nobody told it of: NCRONTAB with seconds.')
param sweepSchedule string = '0 * * * * *'

@description('Tags of the group and all resources, beside azd\'s own.')
param tags object = {}

var size = sizes[stage]
var token = take(uniqueString(subscription().id, environmentName, location), 8)
var names = namesOf(token)
var allTags = union(tags, { 'azd-env-name': environmentName, application: 'upkeep', stage: stage })

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: 'rg-upkeep-${environmentName}'
  location: location
  tags: allTags
}

module base 'modules/base.bicep' = {
  name: 'base'
  scope: group
  params: {
    environmentName: environmentName
    location: location
    token: token
    tags: allTags
    names: names
    size: size
    privateNetwork: privateNetwork
    trainingVmSize: trainingVmSize
    registryName: registryName
    emails: emails
    budgetAmount: budgetAmount
    budgetStartDate: budgetStartDate
  }
}

module work 'modules/work.bicep' = {
  name: 'work'
  scope: group
  params: {
    location: location
    token: token
    tags: allTags
    stage: stage
    size: size
    names: names
    principalId: principalId
    principalType: principalType
    uploadersGroupId: uploadersGroupId
    privateNetwork: privateNetwork
    appSubnetId: base.outputs.appSubnetId
    callerRanges: empty(callerRanges) ? [] : split(callerRanges, ',')
    zoneRedundant: zoneRedundant
    sweepSchedule: sweepSchedule
    emails: emails
  }
}

module sharedRegistry 'modules/registry-role.bicep' = if (!empty(sharedRegistryName)) {
  name: 'shared-registry-role'
  scope: resourceGroup(sharedRegistryGroup)
  params: {
    registryName: sharedRegistryName
    principalId: base.outputs.appPrincipalId
    purpose: 'Upkeep shares models or takes them.'
  }
}

// azd keeps these in its environment; the hook after provisioning writes those of Upkeep to .upkeep.env.
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output UPKEEP_STORAGE__blobServiceUri string = base.outputs.blobService
output UPKEEP_STORAGE__queueServiceUri string = base.outputs.queueService
output UPKEEP_STORAGE__tableServiceUri string = base.outputs.tableService
output UPKEEP_SUBSCRIPTION_ID string = subscription().subscriptionId
output UPKEEP_RESOURCE_GROUP string = group.name
output UPKEEP_WORKSPACE string = names.workspace
output UPKEEP_LOG_WORKSPACE_ID string = base.outputs.logWorkspaceId
output UPKEEP_ENVIRONMENT string = stage
output UPKEEP_APP_URL string = work.outputs.appUrl
output UPKEEP_APP_NAME string = names.app
output UPKEEP_TOKEN string = token
// For models.bicep, which hooks/models.py deploys: so all that is chosen is a parameter of this template alone.
output UPKEEP_EMAILS string = emails
output UPKEEP_ALERTS_APP_ID string = alertsAppId
output UPKEEP_ALERTS_OBJECT_ID string = alertsObjectId
output UPKEEP_SHARED_REGISTRY string = sharedRegistryName
output UPKEEP_SHARED_REGISTRY_GROUP string = sharedRegistryGroup
output UPKEEP_PERFORMANCE_ENDPOINT string = base.outputs.performanceEndpoint
output UPKEEP_PERFORMANCE_RULE_ID string = base.outputs.performanceRuleId
